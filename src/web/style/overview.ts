/** What is known of a batch as a whole. */
export const overview = `
main[aria-busy=true] .grid, main[aria-busy=true] .overview { opacity: .55; transition: opacity .2s .15s }
main { display: grid; gap: 1.25rem; min-width: 0 }
.panel {
  background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius);
  box-shadow: var(--shadow)
}
.notice {
  padding: .75rem 1rem; border-radius: 10px; background: var(--bad-soft); color: var(--bad);
  font-size: .92rem
}
.empty { padding: 3rem 1.5rem; text-align: center; color: var(--muted) }
.empty code {
  display: inline-block; margin-top: .9rem; padding: .5rem .8rem; border-radius: 8px;
  background: var(--sunken); color: var(--ink); font: .85rem/1.4 ui-monospace, 'DejaVu Sans Mono', monospace;
  overflow-wrap: anywhere
}

.overview { padding: clamp(1rem, 2vw, 1.5rem) }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 1rem 2rem }
.title { display: flex; flex-wrap: wrap; align-items: center; gap: .3rem .8rem }
.title h2 { font-size: 1.35rem; overflow-wrap: anywhere }
.pill {
  padding: .1rem .65rem; border-radius: 99px; font-size: .8rem; font-weight: 600; background: var(--sunken)
}
.pill.complete { background: var(--accent-soft); color: var(--accent) }
.pill.planning, .pill.running { color: var(--warn) }
.pill.cancelled, .pill.stopped { background: var(--bad-soft); color: var(--bad) }
.facts { margin-top: .2rem }
.reason { color: var(--bad); overflow-wrap: anywhere }
.totals { display: flex; flex-wrap: wrap; gap: .5rem 1.75rem }
.totals > div { display: flex; flex-direction: column-reverse; justify-content: flex-end }
.totals dt { font-size: .8rem; color: var(--muted) }
.totals dd { font-size: 1.5rem; font-weight: 650; line-height: 1.2; letter-spacing: -.02em }
.totals .bad dd { color: var(--bad) }
.track { display: block; height: 6px; border-radius: 99px; background: var(--sunken); overflow: hidden }
.fill { display: block; height: 100%; border-radius: 99px; background: var(--accent) }
.progress { margin-top: 1.15rem }
.progress .fill { transition: width .6s ease }
.tables {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); gap: 1rem 2.5rem;
  margin-top: 1.2rem
}
.tables:not(:has(section:not([hidden]))) { display: none }
.tables ol {
  position: relative; margin-top: .3rem; max-height: 24rem; overflow: hidden auto; margin-inline: -.5rem
}
.tables section:not(.all) li:nth-child(n + 6) { display: none }
.bar {
  display: grid; grid-template-columns: minmax(0, 9.5rem) 1fr 3.5rem; align-items: center; gap: .75rem;
  width: 100%;
  padding: .2rem .5rem; border: 0; border-radius: 8px; background: none; text-align: left; font-size: .88rem;
}
.bar:hover { background: var(--sunken) }
.bar:focus-visible { outline-offset: -3px }
.tables .quiet { margin-left: -.6rem }
.bar .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.bar .number { text-align: right; color: var(--muted) }
.bar .track { height: 8px }
.bad .fill { background: var(--bad) }
`
