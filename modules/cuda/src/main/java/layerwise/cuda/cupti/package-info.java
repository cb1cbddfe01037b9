/**
 * The built-in tracer: CUPTI's activity records and callbacks, decoded into a {@link layerwise.trace.TraceRecorder}.
 *
 * <p>CUPTI calls into Java on application threads and on a thread of its own, sometimes holding its locks. Code that it
 * calls therefore takes no lock, makes no CUDA call but the queries CUPTI allows, and hands the rest to a Java thread.
 */
package layerwise.cuda.cupti;
