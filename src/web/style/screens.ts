/** Small screens, and what people ask of their system. Last, for it overrides the others. */
export const screens = `
@media (max-width: 56rem) {
  .layout { grid-template-columns: minmax(0, 1fr); gap: 1rem }
  .batches { position: static }
  .batches > header { padding-left: .1rem }
  .batches ol {
    display: flex; gap: .5rem; max-height: none; overflow-x: auto; scroll-snap-type: x proximity;
    margin-inline: calc(-1 * clamp(1rem, 3vw, 2.25rem)); padding: 3px clamp(1rem, 3vw, 2.25rem) .5rem
  }
  .batches li { flex: none; max-width: 17.5rem; scroll-snap-align: center }
  .batch { background: var(--surface); border-color: var(--line) }
  .batch[aria-current] { border-color: var(--accent) }
}
@media (max-width: 34rem) {
  .grid { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .65rem }
  .tables section:not(.all):has(.quiet:not([hidden])) li:nth-child(n + 4) { display: none }
  .card .label { font-size: .9rem }
  .card.error .label { font-size: .82rem }
  .card .key {
    display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; padding-bottom: 0;
    margin-bottom: .7rem; white-space: normal; overflow-wrap: anywhere
  }
  .card:has([open]) .key { display: block }
  .downloads { margin-left: -.6rem }
  .thumb.failed { padding: .6rem; gap: .3rem; font-size: .74rem }
  .thumb.failed svg { width: 1.4rem; height: 1.4rem }
  .search { max-width: none; flex-basis: 100% }
  .bar { grid-template-columns: minmax(0, 7.5rem) 1fr 3rem }
  .card summary, .labels, .about, .card .key, .card .message { padding-left: .7rem; padding-right: .7rem }
}
@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after { animation: none !important; transition: none !important }
}
@media (forced-colors: active) { .fill { background: CanvasText } .track { border: 1px solid CanvasText } }
`
