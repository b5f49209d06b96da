// Runs in the page before its own scripts: records when the first picture is loaded, and tasks over 50 ms.
const seen = { picture: 0, tasks: [] }
globalThis.seen = seen
// Load events of pictures do not bubble; capture them.
document.addEventListener(
  'load',
  ({ target }) => {
    if (target.tagName === 'IMG' && target.naturalWidth > 0) seen.picture ||= performance.now()
  },
  true,
)
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) seen.tasks.push(duration)
}).observe({ entryTypes: ['longtask'] })
