/** Paths in a 24 × 24 box, drawn in the text colour. */
const paths = {
  lens: 'M16.5 16.5 21 21M18 11a7 7 0 1 1-14 0 7 7 0 0 1 14 0zM8 10.2v.1M14 10.2v.1M10 13l1 .8 1-.8M.8 11.5l4.6.4M1.2 15.5l4.6-1.7M21.2 11.5l-4.6.4',
  warning: 'M12 4 2.8 20h18.4L12 4zm0 6v4.5m0 2.8v.1',
  missing: 'M4 4l16 16M9 5h10a1 1 0 0 1 1 1v10M4 7v11a1 1 0 0 0 1 1h12M4 16l4-4 5 5',
  close: 'M6 6l12 12M18 6 6 18',
  left: 'M14.5 5.5 8 12l6.5 6.5',
  right: 'M9.5 5.5 16 12l-6.5 6.5',
  down: 'M5.5 9.5 12 16l6.5-6.5',
  search: 'M15.5 15.5 20 20M17 10.5a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0z',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  fit: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  copy: 'M9 9h10v11H9zM15 9V5H5v11h4',
  upload: 'M12 16V4M6.5 9.5 12 4l5.5 5.5M4 20h16',
  download: 'M12 4v12M6.5 10.5 12 16l5.5-5.5M4 20h16',
  external: 'M14 4h6v6M20 4l-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5',
  filter: 'M4 6h16M7 12h10M10 18h4',
  menu: 'M4 7h16M4 12h16M4 17h16',
  keyboard: 'M3 7h18v10H3zM7 10.5v.1M11 10.5v.1M15 10.5v.1M8 14h8',
  refresh: 'M19.5 12a7.5 7.5 0 1 1-2.3-5.4M20 3v4.5h-4.5',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.5M12 7.6v.1',
} as const

export type IconName = keyof typeof paths

export const Icon = ({ name }: { name: IconName }) => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d={paths[name]} />
  </svg>
)
