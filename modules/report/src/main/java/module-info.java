/**
 * The report program: reads traces, builds tables, renders them as text, CSV, HTML and JSON.
 *
 * <p>Knows traces and nothing else: no device, no operator, no model.
 */
module layerwise.report {
    requires layerwise.trace;
    requires info.picocli;
    requires com.fasterxml.jackson.databind;
    requires com.j2html;
    requires tablesaw.core;
    // What tablesaw uses without declaring it: without these it fails at the first filter.
    requires io.github.classgraph;
    requires org.slf4j;
    requires roaringbitmap;
}
