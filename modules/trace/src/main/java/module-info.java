/**
 * Traces: what was measured, written and read in the SQLite schema that Nsight Systems exports, and the grammar of
 * markers in it.
 *
 * <p>Knows no tables, no device and no model.
 */
module layerwise.trace {
    requires java.sql;
    requires org.xerial.sqlitejdbc;
    requires com.fasterxml.jackson.databind;

    exports layerwise.trace;
}
