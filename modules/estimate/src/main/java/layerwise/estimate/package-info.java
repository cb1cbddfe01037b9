/** A roofline clock for any GPU and any number of ranks. */
package layerwise.estimate;
