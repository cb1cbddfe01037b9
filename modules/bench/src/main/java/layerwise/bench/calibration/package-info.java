/** Which experts tokens went to: recorded in files of the customary format, and replayed from them. */
package layerwise.bench.calibration;
