/** Colours come in pairs, for light and for dark; text keeps a contrast of 4.5 to 1 in both. */
export const theme = `
:root {
  color-scheme: light dark;
  --page: #f5f6f4; --surface: #ffffff; --sunken: #eceeeb; --line: #dfe3de; --ink: #1b2320; --muted: #5b6863;
  --accent: #0b6b61; --accent-soft: #d7ece8; --on-accent: #ffffff; --bad: #a8321f; --bad-soft: #f8ebe7;
  --warn: #8a5a00;
  --raised: #ffffff;
  --shadow: 0 1px 2px rgb(20 40 35 / 6%), 0 4px 16px rgb(20 40 35 / 5%);
  --radius: 14px;
  font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1412; --surface: #171d1b; --sunken: #202825; --line: #2b3531; --ink: #e6ece9; --muted: #9aa8a2;
    --accent: #5cc9b8; --accent-soft: #17352f; --on-accent: #06201b; --bad: #ff9d8a; --bad-soft: #2c1d1a;
    --warn: #e0b15a;
    --raised: #394540;
    --shadow: 0 1px 2px rgb(0 0 0 / 30%), 0 6px 20px rgb(0 0 0 / 20%);
  }
}
*, ::before, ::after { box-sizing: border-box }
[hidden] { display: none !important }
body { margin: 0; background: var(--page); color: var(--ink); -webkit-text-size-adjust: 100% }
h1, h2, h3, p, ol, ul, dl, dd, fieldset { margin: 0; padding: 0; border: 0 }
ol, ul { list-style: none }
h2 { font-size: 1.05rem; font-weight: 650; letter-spacing: -.01em }
h3 { font-size: .82rem; font-weight: 600; color: var(--muted) }
a { color: var(--accent) }
button, input { font: inherit; color: inherit }
button { cursor: pointer }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.muted { color: var(--muted) }
.small { font-size: .82rem }
.number { font-variant-numeric: tabular-nums }
.skip { position: absolute; left: -999px; padding: .5rem 1rem; background: var(--surface); z-index: 2 }
.skip:focus { left: 1rem; top: .5rem }
.hidden-text {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap
}
`
