/**
 * Typed views over memory that lies outside the Java heap, and the exceptions that every module above shares.
 */
package layerwise.tensor;
