package config

import "slices"

// DatabaseClass is an RDS instance class (AWS docs, "DB instance class types").
type DatabaseClass struct {
	Name      string
	VCPU      int
	MemoryGiB int
}

// databaseClasses are those that run PostgreSQL 14 to 17 and make sense here.
var databaseClasses = []DatabaseClass{
	{"db.t4g.micro", 2, 1}, {"db.t4g.small", 2, 2}, {"db.t4g.medium", 2, 4}, {"db.t4g.large", 2, 8},
	{"db.m6g.large", 2, 8}, {"db.m6g.xlarge", 4, 16}, {"db.m6g.2xlarge", 8, 32},
	{"db.r5.large", 2, 16}, {"db.r5.xlarge", 4, 32}, {"db.r5.2xlarge", 8, 64}, {"db.r5.4xlarge", 16, 128},
	{"db.r6g.large", 2, 16}, {"db.r6g.xlarge", 4, 32}, {"db.r6g.2xlarge", 8, 64}, {"db.r6g.4xlarge", 16, 128},
}

// FindDatabaseClass finds an instance class by name.
func FindDatabaseClass(name string) (DatabaseClass, bool) {
	i := slices.IndexFunc(databaseClasses, func(c DatabaseClass) bool { return c.Name == name })
	if i < 0 {
		return DatabaseClass{}, false
	}
	return databaseClasses[i], true
}

func databaseClassNames() []string {
	names := make([]string, 0, len(databaseClasses))
	for _, class := range databaseClasses {
		names = append(names, class.Name)
	}
	return names
}
