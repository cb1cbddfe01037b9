/** Configuration of a run: options, YAML files, their merge into one validated record, and how results are printed. */
package layerwise.bench.config;
