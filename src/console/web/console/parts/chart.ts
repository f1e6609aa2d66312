/** Figures over time as a drawing, with the same figures as a table for those who do not see it. */
import { h } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { html, type View } from '../../html.ts'
import { styled } from '../styles.ts'
import { words } from '../words.ts'

styled('/vendor/uplot.css')
styled('parts/chart')

export type Line = {
  readonly label: string
  /** A colour of the page, such as `--accent`. */
  readonly colour: string
  readonly values: readonly (number | null)[]
  /** A value in words, such as `$60.00` or `3.1 ms`; and beside an axis, where there is less room. */
  text(value: number): string
  axisText?(value: number): string
  /** Lines of another measure have a scale of their own, at the other side. */
  readonly other?: boolean
  /** Filled below, or bars where values are few; a line alone otherwise. */
  readonly as?: 'area' | 'bars'
}

export type Chart = {
  readonly title: string
  /** The least and the most of it, and where it is now, in a sentence. */
  readonly summary: string
  /** Seconds of the Unix clock, rising. */
  readonly at: readonly number[]
  /** A moment in words, as the axis and the table have it. */
  atText(seconds: number): string
  /** From when to when it is drawn, where that is not from the first value to the last. */
  range?(first: number, last: number): [from: number, to: number]
  readonly lines: readonly Line[]
}

export function chart(of: Chart): View {
  const { title, summary } = of
  return html`
    <figure class="chart">
      <figcaption class="soft">${summary}</figcaption>
      <div role="img" aria-label=${`${title}. ${summary}`} dir="ltr">${h(Drawing, { of })}</div>
      ${h(Figures, { of })}
    </figure>
  `
}

/** Made when it is opened: hundreds of rows that nobody looks at would be drawn anew with each reading. */
function Figures({ of }: { of: Chart }): View {
  const [tableOf, setTableOf] = useState<(of: Chart) => View>()
  const onToggle = async (event: Event) => {
    if (!(event.target as HTMLDetailsElement).open) return setTableOf(undefined)
    const { chartTable } = await import('./chart-table.ts')
    setTableOf(() => chartTable)
  }
  return html`
    <details onToggle=${onToggle}><summary>${words.asTable}</summary>${tableOf?.(of)}</details>
  `
}

const height = 170

function Drawing({ of }: { of: Chart }): View {
  const place = useRef<HTMLDivElement>(null)
  const drawn = useRef<uPlot>(undefined)
  const shape = of.lines.map(({ label }) => label).join()
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const draw = () => {
      drawn.current?.destroy()
      drawn.current = new uPlot(optionsOf(of, element), dataOf(of), element)
    }
    const fit = new ResizeObserver(() => drawn.current?.setSize({ width: element.clientWidth, height }))
    const night = matchMedia('(prefers-color-scheme: dark)')
    draw()
    fit.observe(element)
    night.addEventListener('change', draw)
    return () => {
      fit.disconnect()
      night.removeEventListener('change', draw)
      drawn.current?.destroy()
      drawn.current = undefined
    }
  }, [shape])
  useEffect(() => drawn.current?.setData(dataOf(of)), [of])
  return html`<div class="drawing" ref=${place}></div>`
}

function dataOf({ at, lines }: Chart): uPlot.AlignedData {
  return [[...at], ...lines.map(({ values }) => [...values])]
}

function optionsOf({ atText, range, lines }: Chart, element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const font = `11px ${style.fontFamily}`
  const axis = { stroke: colour('--soft'), font, ticks: { show: false }, gap: 6 }
  const grid = { stroke: colour('--line'), width: 1 }
  const text = (values: readonly number[], line: Line | undefined) =>
    values.map((one) => (line?.axisText ?? line?.text ?? String)(one))
  const [own, other] = [lines.find((line) => !line.other), lines.find((line) => line.other)]
  const bars = uPlot.paths.bars?.({ size: [0.6, 28] })
  const scaleOf = (line: Line) => (line.other ? 'other' : 'own')
  return {
    width: element.clientWidth,
    height,
    padding: [10, 8, 0, 0],
    legend: { live: false, show: lines.length > 1 },
    cursor: { y: false, points: { size: 6 } },
    scales: {
      x: { time: true, ...(range && { range: (_, first, last) => range(first, last) }) },
      own: { range: fromZero },
      ...(other && { other: { range: fromZero } }),
    },
    axes: [
      { ...axis, grid: { show: false }, values: (_, at) => at.map(atText), incrs, space: 70, size: 28 },
      { ...axis, grid, scale: 'own', size: 54, values: (_, at) => text(at, own), space: 36 },
      ...(other
        ? [
            {
              ...axis,
              grid: { show: false },
              scale: 'other',
              side: 1 as const,
              size: 56,
              values: (_: uPlot, at: number[]) => text(at, other),
              space: 36,
            },
          ]
        : []),
    ],
    series: [
      { label: words.at },
      ...lines.map((line) => ({
        label: line.label,
        scale: scaleOf(line),
        stroke: colour(line.colour),
        width: 1.5,
        points: { show: false },
        ...(line.as && {
          fill: `color-mix(in srgb, ${colour(line.colour)} ${line.as === 'bars' ? 55 : 12}%, transparent)`,
        }),
        ...(line.as === 'bars' && bars && { paths: bars }),
      })),
    ],
  }
}

/** Of the axis of time: whole minutes, hours and days, so that no two marks have the same name. */
const incrs = [1, 2, 5, 10, 15, 30, 60, 360, 720, 1_440, 2_880, 5_760].map((minutes) => minutes * 60)

/** Every scale begins at nothing, and has room above what is highest. */
function fromZero(_: uPlot, __: number, most: number | null): [number, number] {
  return [0, most === null || most <= 0 ? 1 : most * 1.15]
}
