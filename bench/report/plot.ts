import type { Findings } from '../findings'

const [width, left, right, row, bar] = [720, 130, 70, 30, 18]

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** Bars of milliseconds per image, with a line for the 95th percentile; legible on light and dark pages. */
export function plot({ contestants }: Findings): string {
  const rows = Object.entries(contestants).sort(([, a], [, b]) => a.ms.p50 - b.ms.p50)
  const longest = Math.max(...rows.map(([, { ms }]) => ms.p95))
  const x = (ms: number) => left + ((width - left - right) * ms) / longest
  const bars = rows.map(([name, { what, ms }], index) => {
    const [top, middle] = [40 + index * row, 40 + index * row + bar / 2]
    const isOurs = what.startsWith('Whisklens')
    return `<g><title>${escaped(what)}</title>
<text x="${left - 8}" y="${middle + 4}" text-anchor="end">${escaped(name)}</text>
<path d="M${left} ${middle}H${x(ms.p95).toFixed(1)}" class="range"/>
<rect x="${left}" y="${top}" width="${(x(ms.p50) - left).toFixed(1)}" height="${bar}" class="${isOurs ? 'ours' : 'others'}"/>
<text x="${(x(ms.p95) + 8).toFixed(1)}" y="${middle + 4}">${ms.p50.toFixed(1)}</text></g>`
  })
  const height = 40 + rows.length * row + 10
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>Milliseconds an image by pipeline</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.ours { fill: #0969da } .others { fill: #8c959f } .range { stroke: #8c959f; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ours { fill: #4493f8 } }
</style>
<text x="8" y="22">Milliseconds an image of 500×375, decoding included: median, and a line to the 95th percentile</text>
${bars.join('\n')}
</svg>
`
}
