/** The page's frame and its list of batches. */
export const batches = `
.top { display: flex; align-items: center; gap: .65rem; padding: 1.1rem clamp(1rem, 3vw, 2.25rem) }
.top svg { width: 2rem; height: 2rem; color: var(--accent); flex: none }
.top h1 { font-size: 1.2rem; font-weight: 700; letter-spacing: -.02em }
.live {
  margin-left: auto; display: flex; align-items: center; gap: .5rem; font-size: .82rem; color: var(--muted)
}
.layout {
  display: grid; grid-template-columns: 17rem minmax(0, 1fr); gap: 1.75rem; align-items: start;
  max-width: 100rem; margin: 0 auto; padding: 0 clamp(1rem, 3vw, 2.25rem) 4rem;
}

.dot { flex: none; width: .6rem; height: .6rem; border-radius: 50%; background: var(--muted) }
.dot.complete { background: var(--accent) }
.dot.planning, .dot.running { background: var(--warn) }
.dot.cancelled, .dot.stopped { background: var(--bad) }
.live .dot.running { animation: breathe 2s ease-in-out infinite }
@keyframes breathe { 50% { opacity: .3 } }

.batches { position: sticky; top: 1rem }
.batches > header {
  display: flex; align-items: center; justify-content: space-between; padding: 0 .25rem .6rem .75rem
}
.batches ol {
  position: relative; display: grid; gap: .3rem; max-height: calc(100vh - 8rem); overflow-y: auto;
  padding: 3px
}
.batch {
  display: grid; grid-template-columns: auto 1fr; column-gap: .65rem; align-items: center; width: 100%;
  text-align: left;
  padding: .6rem .75rem; border: 1px solid transparent; border-radius: 10px; background: none;
}
.batch:hover { background: var(--sunken) }
.batch[aria-current] { background: var(--surface); border-color: var(--line); box-shadow: var(--shadow) }
.batch .name {
  font-weight: 600; font-size: .9rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap
}
.batch .counts { grid-column: 2; font-size: .8rem; color: var(--muted) }
.quiet {
  padding: .25rem .6rem; border: 0; border-radius: 8px; background: none; color: var(--accent);
  font-size: .85rem
}
.quiet:hover { background: var(--accent-soft) }
`
