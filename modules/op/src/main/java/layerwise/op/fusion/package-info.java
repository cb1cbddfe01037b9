/** The one place where plain operators become fused ones. */
package layerwise.op.fusion;
