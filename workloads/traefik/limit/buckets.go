package limit

import "sync"

// buckets are counted in this process, for the time without Redis: whatever comes of that, one replica lets no more through than the limit
// says for all.
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
	b.set(key, full+interval, now)
	return 0
}

// note takes a token that Redis has given.
func (b *buckets) note(key string, now, interval int64) {
	b.lock.Lock()
	defer b.lock.Unlock()
	full := b.full[key]
	if full < now {
		full = now
	}
	b.set(key, full+interval, now)
}

func (b *buckets) set(key string, full, now int64) {
	if _, known := b.full[key]; !known && len(b.full) >= mostBuckets {
		b.forget(now)
	}
	b.full[key] = full
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
