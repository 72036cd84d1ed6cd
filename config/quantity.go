package config

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Amount is CPU and memory as Kubernetes writes them: "2", "500m"; "4Gi".
type Amount struct {
	CPU    string `json:"cpu"`
	Memory string `json:"memory"`
}

// leastMemory is less than any program here runs with. What is below it was meant in another unit.
const leastMemory = 16 << 20

// MilliCPU is the CPU in thousandths of a core; 0 if it could not be read, which validate reports.
func (a Amount) MilliCPU() int64 {
	q, err := resource.ParseQuantity(a.CPU)
	if err != nil {
		return 0
	}
	return q.MilliValue()
}

// MemoryMiB is the memory in MiB, rounded up; 0 if it could not be read.
func (a Amount) MemoryMiB() int64 {
	q, err := resource.ParseQuantity(a.Memory)
	if err != nil {
		return 0
	}
	return (q.Value() + 1<<20 - 1) >> 20
}

// Less is the amount without a part of it.
func (a Amount) Less(part Amount) Amount {
	return Amount{CPU: fmt.Sprintf("%dm", a.MilliCPU()-part.MilliCPU()), Memory: fmt.Sprintf("%dMi", a.MemoryMiB()-part.MemoryMiB())}
}

func (a Amount) validate() (ps Problems) {
	if a.MilliCPU() <= 0 {
		ps.add("cpu", a.CPU, `must be an amount of CPU such as "2" or "500m"`)
	}
	switch memory, err := resource.ParseQuantity(a.Memory); {
	case err != nil || memory.Sign() <= 0:
		ps.add("memory", a.Memory, `must be an amount of memory such as "4Gi" or "512Mi"`)
	case memory.CmpInt64(leastMemory) < 0 || memory.CmpInt64(memory.Value()) != 0:
		ps.add("memory", a.Memory, `must be whole bytes, and at least "%dMi": a bare number is bytes, and m thousandths of one; such as "4Gi" or "512Mi"`, leastMemory>>20)
	}
	return ps
}
