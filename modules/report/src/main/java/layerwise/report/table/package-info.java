/** Grouping and aggregation with tablesaw, whose types do not leave this package. */
package layerwise.report.table;
