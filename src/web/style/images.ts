/** The filter and the cards. */
export const images = `
.toolbar { display: flex; flex-wrap: wrap; align-items: center; gap: .6rem 1rem; padding-top: .5rem }
.toolbar form { display: flex; flex-wrap: wrap; gap: .6rem 1rem; flex: 1 1 24rem }
.search { flex: 1 1 12rem; max-width: 22rem }
.search input {
  width: 100%; min-height: 2.5rem; padding: .35rem 1rem; border: 1px solid var(--line); border-radius: 99px;
  background: var(--surface);
}
.search input::placeholder { color: var(--muted); opacity: 1 }
.segments { display: flex; padding: 3px; border-radius: 99px; background: var(--sunken) }
.segments label { position: relative; cursor: pointer }
.segments input { position: absolute; inset: 0; opacity: 0; margin: 0; cursor: pointer }
.segments span {
  display: block; padding: .3rem .95rem; border-radius: 99px; font-size: .88rem; line-height: 1.6
}
.segments input:checked + span { background: var(--raised); box-shadow: var(--shadow); font-weight: 600 }
.segments input:focus-visible + span { outline: 3px solid var(--accent); outline-offset: 2px }
.photo { font-size: .88rem }
.photo summary { padding: .55rem .5rem; border-radius: 8px; color: var(--muted); cursor: pointer }
.photo[open] { flex-basis: 100% }
.photo div { display: flex; flex-wrap: wrap; gap: .4rem 1rem; padding: 0 .5rem }
.photo label { white-space: nowrap }
.photo input {
  min-height: 2rem; max-width: 10rem; padding: .2rem .6rem; border: 1px solid var(--line); border-radius: 8px;
  background: var(--surface)
}
.downloads { display: flex; gap: .25rem }
.downloads a { padding: .25rem .6rem; border-radius: 8px; font-size: .85rem; text-decoration: none }
.downloads a:hover { background: var(--accent-soft) }

.count { margin: .8rem 0 }
#images { display: grid }
#images:focus { outline: 0 }
.more { margin-top: 1.25rem }
.grid {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 12.5rem), 1fr)); gap: 1rem;
  align-items: start
}
.card {
  overflow: hidden; background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius);
  box-shadow: var(--shadow)
}
.thumb {
  position: relative; display: grid; place-items: center; aspect-ratio: 4 / 3; background: var(--sunken);
  color: var(--muted); font-size: .82rem; text-decoration: none; overflow: hidden
}
.thumb img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: cover; font-size: .75rem }
.thumb:focus-visible { outline-offset: -4px }
.thumb svg { width: 1.9rem; height: 1.9rem }
.thumb.failed {
  align-content: center; gap: .5rem; padding: 1rem; background: var(--bad-soft); color: var(--bad)
}
.thumb .brief {
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 4; overflow: hidden;
  max-width: 100%; color: var(--muted); text-align: center; overflow-wrap: anywhere
}
.card summary {
  display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .45rem .6rem; padding: .75rem .9rem .15rem;
  cursor: pointer; list-style: none
}
.card summary::-webkit-details-marker { display: none }
.card summary:focus-visible { outline-offset: -4px; border-radius: 10px }
.card .label {
  font-size: .96rem; font-weight: 620; overflow: hidden; text-overflow: ellipsis; white-space: nowrap
}
.card [open] .label { white-space: normal; overflow-wrap: anywhere }
.card.error .label { color: var(--bad); font-size: .92rem }
.card .share { color: var(--muted); font-size: .88rem; align-self: center }
.card .share::after {
  content: '›'; display: inline-block; margin-left: .5rem; font-size: 1.05rem; line-height: 1;
  transition: transform .15s
}
.card [open] .share::after { transform: rotate(90deg) }
.card summary .track { grid-column: 1 / -1; height: 4px }
.card .message { padding: .35rem .9rem 0; font-size: .84rem; overflow-wrap: anywhere }
.card .key {
  padding: .35rem .9rem .8rem; font-size: .78rem; color: var(--muted); unicode-bidi: isolate;
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap
}
.card:has([open]) .key { white-space: normal; overflow-wrap: anywhere }
.labels { display: grid; gap: .3rem; padding: .35rem .9rem 0 }
.labels li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 .6rem; font-size: .84rem }
.labels li > :first-child { overflow-wrap: anywhere }
.labels .track { grid-column: 1 / -1; height: 3px }
.about { padding: .55rem .9rem 0 }
.more {
  justify-self: center; min-height: 2.75rem; padding: .5rem 1.6rem; border: 0; border-radius: 99px;
  background: var(--accent); color: var(--on-accent); font-weight: 600
}
.more:hover { filter: brightness(1.08) }
.more[aria-disabled=true] { opacity: .6; cursor: progress }
`
