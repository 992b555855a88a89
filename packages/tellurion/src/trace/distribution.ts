// A distribution: how values lie, in little room. Buckets grow by a fixed factor, so that any percentile is right within
// 2.5 % of its value, whatever the values are (the idea of DDSketch, Masson, Rim and Lee, 2019).

/** A distribution in numbers. All are 0 where there is no value yet. */
export interface DistributionSummary {
  readonly count: number
  readonly sum: number
  readonly mean: number
  readonly min: number
  readonly max: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** Values that were counted. */
export interface Distribution {
  /** Counts a value; below 0 or no number counts as 0. */
  add(value: number): void
  summary(): DistributionSummary
}

const factor = 1.05
const base = Math.log(factor)
/** Values up to this one lie in the first bucket; with it 500 buckets reach beyond 10^7. */
const least = 0.001
const most = 512

/** Makes a distribution without a value. */
export function createDistribution(): Distribution {
  const buckets = new Uint32Array(most)
  let [count, sum, min, max] = [0, 0, Infinity, 0]

  const percentile = (share: number): number => {
    const wanted = Math.max(1, Math.ceil(share * count))
    let seen = 0
    for (let index = 0; index < most; index++) {
      seen += buckets[index]!
      if (seen >= wanted) return Math.min(max, Math.max(min, valueOf(index)))
    }
    return max
  }
  return {
    add(given) {
      const value = given > 0 && Number.isFinite(given) ? given : 0
      buckets[bucketOf(value)]!++
      count++
      sum += value
      min = Math.min(min, value)
      max = Math.max(max, value)
    },
    summary: () =>
      count === 0
        ? { count, sum, mean: 0, min: 0, max: 0, p50: 0, p95: 0, p99: 0 }
        : {
            count,
            sum,
            mean: sum / count,
            min,
            max,
            p50: percentile(0.5),
            p95: percentile(0.95),
            p99: percentile(0.99),
          },
  }
}

function bucketOf(value: number): number {
  if (value <= least) return 0
  return Math.min(most - 1, Math.ceil(Math.log(value / least) / base))
}

/** The middle of a bucket. */
function valueOf(index: number): number {
  return index === 0 ? 0 : (least * factor ** index * 2) / (1 + factor)
}
