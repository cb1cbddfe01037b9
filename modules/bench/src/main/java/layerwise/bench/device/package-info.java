/** Which executor runs. */
package layerwise.bench.device;
