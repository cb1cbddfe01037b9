# Joins CSVs of collectives, ours and PyTorch's: a row for each collective, size and mode. Used by collectives, with FS and OFS a comma.
function mean(key) { return n[key] ? sum[key] / n[key] : "" }
function micros(value) { return value == "" ? "" : sprintf("%.2f", value) }
function rate(key, value) { return value == "" ? "" : sprintf("%.2f", bus[key] / value) }
{ sub(/\r$/, "") }
FNR == 1 { split("", at); for (i = 1; i <= NF; i++) at[$i] = i; next }
{
    row = $at["collective"] OFS $at["bytes"] OFS $at["mode"]
    if (!(row in seen)) { seen[row] = 1; rows[++count] = row }
    key = row OFS ("carrier" in at ? $at["carrier"] : "pytorch")
    sum[key] += $at["micros"]; n[key]++
    if (n[key] == 1) first[key] = $at["micros"]
    last[key] = $at["micros"]
    bus[row] = $at["bus_gb_s"] * $at["micros"] # what the links carry is the same for all of a row
}
END {
    print "collective", "bytes", "mode", "nccl", "peers", "pytorch", "ratio", "nccl_bus", "peers_bus", "pytorch_bus", "drift"
    for (i = 1; i <= count; i++) {
        row = rows[i]
        ours = mean(row OFS "nccl"); own = mean(row OFS "peers"); theirs = mean(row OFS "pytorch")
        print row, micros(ours), micros(own), micros(theirs),
            ours == "" || theirs == "" ? "" : sprintf("%.3f", ours / theirs),
            rate(row, ours), rate(row, own), rate(row, theirs),
            n[row OFS "nccl"] < 2 ? "" : sprintf("%.3f", last[row OFS "nccl"] / first[row OFS "nccl"])
    }
}
