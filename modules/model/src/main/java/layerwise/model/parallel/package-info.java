/** How layers are divided over ranks. */
package layerwise.model.parallel;
