package limit

import "sync"

// buckets are counted in this process: for the time without Redis.
type buckets struct {
	lock sync.Mutex
	full map[string]int64 // when the bucket is full again, in microseconds; one that is not here is full
}

// mostBuckets bounds what somebody with many addresses can make us remember.
const mostBuckets = 65536

var ownBuckets = &buckets{full: map[string]int64{}}

// take takes a token, or says how many microseconds it takes until there is one. It is what the script does in Redis.
func (b *buckets) take(key string, now, interval, burst int64) int64 {
	b.lock.Lock()
	defer b.lock.Unlock()
	full := b.full[key]
	if full < now {
		full = now
	}
	if wait := full + interval - burst*interval - now; wait > 0 {
		return wait
	}
	if len(b.full) >= mostBuckets {
		b.forget(now)
	}
	b.full[key] = full + interval
	return 0
}

// forget makes room: buckets that are full, and if there are too few of them, all.
func (b *buckets) forget(now int64) {
	for key, full := range b.full {
		if full <= now {
			delete(b.full, key)
		}
	}
	if len(b.full) >= mostBuckets {
		b.full = map[string]int64{}
	}
}
