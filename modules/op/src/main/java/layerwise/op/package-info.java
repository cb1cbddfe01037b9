/**
 * Operators, programs and executors.
 *
 * <p>Shapes use these letters throughout: {@code T} tokens, {@code B} sequences, {@code S} key/value length, {@code H}
 * hidden size, {@code M N K} matrix products, {@code Q} query heads, {@code G} key/value heads, {@code D} head
 * dimension, {@code E} experts, {@code I} intermediate size, {@code P} token-expert pairs, {@code R} ranks.
 */
package layerwise.op;
