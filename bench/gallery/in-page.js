// Runs in the page, before its own scripts: notes when the first picture is there, and every task over 50 ms.
const seen = { picture: 0, tasks: [] }
globalThis.seen = seen
// The events of pictures do not bubble, and do not get to the window.
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
