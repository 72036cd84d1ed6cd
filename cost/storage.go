package cost

import "fmt"

func (b *builder) addStorage() {
	kept := b.platform.Data.Retention
	disk := float64(b.platform.Data.Postgres.StorageGiB)
	used := Range{disk * b.assume(databaseUsed), disk * b.assume(databaseFull)}
	b.add(Storage, fmt.Sprintf("S3, nightly dumps of %d days", kept.Backups), used.times(b.assume(dumpPacked)*float64(kept.Backups)), objects)

	logs := b.nodes.times(b.assume(appPerNode) * months(kept.ApplicationLogs))
	logs = logs.plus(b.auditLogs().times(b.assume(logsPacked) * months(kept.AuditLogs)))
	logs = logs.plus(exactly(b.assume(trailLogs) * months(max(kept.AuditLogs, kept.AccessLogs))))
	b.add(Storage, "S3, application, audit and access logs", logs, objects)
	b.add(Storage, "ECR, images", exactly(b.billed(imageRepositories)*b.assume(imagesPerRepo)), images)
}

func (b *builder) addLogs() {
	control, network := b.controlPlaneLogs(), b.nodes.times(b.assume(flowPerNode))
	postgres := exactly(b.billed(databases) * b.assume(databaseLogs))
	b.add(Monitoring, "CloudWatch Logs, ingested", control.plus(postgres).plus(network), logsIngested)

	kept := control.plus(postgres).times(months(b.platform.Cluster.LogDays)).plus(network.times(months(b.platform.Network.FlowLogDays)))
	b.add(Monitoring, "CloudWatch Logs, kept", kept.times(b.assume(logsPacked)), logsKept)
	b.add(Monitoring, "Firehose, audit logs to S3", b.auditLogs(), logsCopied)
}

func (b *builder) controlPlaneLogs() Range {
	return exactly(b.assume(controlPlaneLogs)).plus(b.nodes.times(b.assume(controlPerNode)))
}

func (b *builder) auditLogs() Range { return b.controlPlaneLogs().times(b.assume(auditShare)) }

func months(days int) float64 { return float64(days) / 30 }
