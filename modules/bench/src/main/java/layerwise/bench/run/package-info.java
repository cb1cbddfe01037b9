/** The {@code run} command: problems measured one after the other, as a serving engine would run them. */
package layerwise.bench.run;
