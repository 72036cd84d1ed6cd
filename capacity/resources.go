package capacity

import "fmt"

// Resources is CPU in thousandths of a core and memory in MiB, as Kubernetes requests count them.
type Resources struct{ MilliCPU, MemoryMiB int64 }

// Add is r and s together.
func (r Resources) Add(s Resources) Resources {
	return Resources{r.MilliCPU + s.MilliCPU, r.MemoryMiB + s.MemoryMiB}
}

// Sub is what s leaves of r; negative where s is more.
func (r Resources) Sub(s Resources) Resources {
	return Resources{r.MilliCPU - s.MilliCPU, r.MemoryMiB - s.MemoryMiB}
}

// Times is n times r.
func (r Resources) Times(n int) Resources {
	return Resources{r.MilliCPU * int64(n), r.MemoryMiB * int64(n)}
}

// Fits says whether r fits into room, in both dimensions.
func (r Resources) Fits(room Resources) bool {
	return r.MilliCPU <= room.MilliCPU && r.MemoryMiB <= room.MemoryMiB
}

// smaller is the lesser of both in each dimension.
func (r Resources) smaller(s Resources) Resources {
	return Resources{min(r.MilliCPU, s.MilliCPU), min(r.MemoryMiB, s.MemoryMiB)}
}

// share is the part of whole that r takes in its larger dimension, in millionths.
func (r Resources) share(whole Resources) int64 {
	return max(millionths(r.MilliCPU, whole.MilliCPU), millionths(r.MemoryMiB, whole.MemoryMiB))
}

// freeOf is how much of whole is left in both dimensions together, in millionths.
func (r Resources) freeOf(whole Resources) int64 {
	return millionths(r.MilliCPU, whole.MilliCPU) + millionths(r.MemoryMiB, whole.MemoryMiB)
}

func millionths(part, whole int64) int64 { return part * 1_000_000 / max(whole, 1) }

// String shows vCPU and GiB with one decimal, the unit people size in.
func (r Resources) String() string {
	return fmt.Sprintf("%s vCPU and %s GiB", r.vcpu(), r.gib())
}

func (r Resources) vcpu() string { return fmt.Sprintf("%.1f", float64(r.MilliCPU)/1000) }
func (r Resources) gib() string  { return fmt.Sprintf("%.1f", float64(r.MemoryMiB)/1024) }
