# What is to be done to make the cluster of six nodes complete: three masters in three zones, each with a replica in the next zone. It reads
# lines of node.sh's `nodes`, sorted by zone and pod, and writes steps; none if nothing is to be done. What a person has to look at is a step
# named error.

$9 != "up" {
	if ($7 > 0) fault("slots " $8 " belong to " $3 " (" $1 "), which no pod has any more")
	gone[++goners] = $1
	next
}
{
	id[++n] = $1; address[n] = $2; pod[n] = $3; zone[n] = $4; role[n] = $5; of[n] = $6; slots[n] = $7
	byID[$1] = n
	if (!($4 in place)) { place[$4] = ++zones; first[zones] = n }
	inZone[$4]++
	owned += $7
	if ($7 > 0) owner[$8] = 1
	if ($5 == "replica") replicas[$6]++
}
function fault(text) { if (!faults++) print "error", text }

# shares: the slots that nobody has yet go to the first pod of each zone.
function shares(   k, range) {
	range[1] = "0 5460"; range[2] = "5461 10922"; range[3] = "10923 16383"
	for (k = 1; k <= zones; k++) {
		if (zones != 3 || place["-"] || inZone[zone[first[k]]] != 2) {
			fault("the pods must be in three zones, two in each, and know it; " zone[first[k]] " has " inZone[zone[first[k]]])
			return
		}
	}
	for (k = 1; k <= 3; k++) {
		split(range[k], ends, " ")
		if ((ends[1] "-" ends[2]) in owner) { owned -= ends[2] - ends[1] + 1; continue }
		if (role[first[k]] != "master" || slots[first[k]] > 0) fault(pod[first[k]] " is to be a master without slots, and is not")
		todo[++todos] = "slots " address[first[k]] " " range[k]
	}
	if (owned != 0) fault("slots were given out by hand: only some have an owner")
}

# pair finds a master for a node that has neither slots nor a master: the one in the zone before its own, or any in another zone.
function pair(i,   pass, m) {
	for (pass = 1; pass <= 2; pass++) {
		for (m = 1; m <= n; m++) {
			if (role[m] != "master" || !slots[m] || replicas[id[m]] || zone[m] == zone[i]) continue
			if (pass == 1 && place[zone[m]] % zones + 1 != place[zone[i]]) continue
			replicas[id[m]]++
			todo[++todos] = "replicate " address[i] " " id[m]
			return
		}
	}
	fault("no master in another zone than that of " pod[i] " lacks a replica")
}

END {
	for (i = 1; i <= goners; i++) todo[++todos] = "forget " gone[i]
	if (owned < 16384) shares()
	else for (i = 1; i <= n; i++) {
		if (role[i] == "master" && !slots[i]) pair(i)
		else if (role[i] == "replica" && zone[i] == zone[byID[of[i]]]) fault(pod[i] " and its master are both in " zone[i])
	}
	if (!faults) for (i = 1; i <= todos; i++) print todo[i]
}
