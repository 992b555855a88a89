// The library's secret, as settings of kind `secret` hold it: a text that shows as `[redacted]` until it is revealed.

export { Secret } from 'tellurion/secret'
