import { type ScaleLogarithmic, scaleLog } from 'd3-scale';
import { curveLinear, curveMonotoneX, line } from 'd3-shape';
import { type Markup, markup } from './markup.ts';

/** A line of a chart. */
export interface Series {
  readonly name: string;
  /** Which of the page's colours, and which stroke: series that share a colour differ in their dashes. Left out: in the background. */
  readonly style?: number | undefined;
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** What a pointer over it is told. */
  readonly tip: string;
}

export interface Axis {
  readonly title: string;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  readonly domain: readonly [from: number, to: number];
}

export interface ChartOptions {
  /** What it shows, for those who do not see it. */
  readonly label: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly height: number;
  /** Monotone curves through the points, or straight lines between them. */
  readonly smooth: boolean;
  /** Room for names at the right, px. */
  readonly nameWidth: number;
}

/** Colours of the page's palette; beyond them the dashes change. */
export const COLORS = 8;
const WIDTH = 960;
const LEFT = 70;
const TOP = 14;
const BOTTOM = 52;
/** Least distance of two names at the right, px. */
const NAME_GAP = 15;

/** A line chart on two logarithmic axes, as SVG that needs no script: names stand at the lines' ends, values are tooltips. */
export function lineChart(options: ChartOptions): Markup {
  const { x, y, series, height, label, nameWidth } = options;
  const xScale = scaleLog([...x.domain], [LEFT, WIDTH - nameWidth]).clamp(true);
  const yScale = scaleLog([...y.domain], [height - BOTTOM, TOP]).clamp(true);
  return markup`<svg class="chart" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${label}">
${grid(options, xScale, yScale)}
${series.map((one) => drawSeries(one, options, xScale, yScale))}
${endNames(series, xScale, yScale, WIDTH - nameWidth, [TOP + 6, height - BOTTOM + 4])}
</svg>`;
}

type Scale = ScaleLogarithmic<number, number>;

function grid({ x, y, height, nameWidth }: ChartOptions, xScale: Scale, yScale: Scale): Markup {
  const right = WIDTH - nameWidth;
  const bottom = height - BOTTOM;
  return markup`<g class="grid">
${x.ticks.map(({ at, label }) => markup`<line x1="${xScale(at)}" x2="${xScale(at)}" y1="${TOP}" y2="${bottom}"/><text x="${xScale(at)}" y="${bottom + 20}" text-anchor="middle">${label}</text>`)}
${y.ticks.map(({ at, label }) => markup`<line x1="${LEFT}" x2="${right}" y1="${yScale(at)}" y2="${yScale(at)}"/><text x="${LEFT - 10}" y="${yScale(at) + 4}" text-anchor="end">${label}</text>`)}
<text class="axis" x="${(LEFT + right) / 2}" y="${height - 8}" text-anchor="middle">${x.title}</text>
<text class="axis" transform="translate(16 ${(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">${y.title}</text>
</g>`;
}

function drawSeries({ name, style, points }: Series, { smooth }: ChartOptions, xScale: Scale, yScale: Scale): Markup {
  const path = line<Point>()
    .x((point) => xScale(point.x))
    .y((point) => yScale(point.y))
    .curve(smooth ? curveMonotoneX : curveLinear)
    .digits(1)(points);
  return markup`<g class="series ${styleClass(style)}"><title>${name}</title>
<path class="halo" d="${path ?? ''}"/><path class="line" d="${path ?? ''}"/>
${points.map(({ x, y, tip }) => markup`<circle cx="${round(xScale(x))}" cy="${round(yScale(y))}" r="2.6"><title>${`${name}: ${tip}`}</title></circle>`)}
</g>`;
}

/** Names at the right, moved apart where lines end close together; a leader says which line is meant. */
function endNames(
  series: readonly Series[],
  xScale: Scale,
  yScale: Scale,
  right: number,
  [top, bottom]: readonly [number, number],
): Markup {
  const ends = series
    .flatMap(({ name, style, points }) => {
      const last = points.at(-1);
      return last === undefined ? [] : [{ name, style, x: xScale(last.x), y: yScale(last.y) }];
    })
    .sort((one, other) => one.y - other.y);
  const places = apart(
    ends.map(({ y }) => y),
    top,
    bottom,
  );
  return markup`<g class="names">${ends.map(
    ({ name, style, x, y }, at) =>
      markup`<g class="${styleClass(style)}"><path class="leader" d="M${round(x) + 4} ${round(y)} L${right + 14} ${round(places[at]!)}"/><text x="${right + 18}" y="${round(places[at]!) + 4}">${name}</text></g>`,
  )}</g>`;
}

/** Ascending heights moved as little as it takes to keep {@link NAME_GAP} between them and to stay within bounds. */
function apart(heights: readonly number[], top: number, bottom: number): readonly number[] {
  const places = [...heights];
  for (let at = 0; at < places.length; at++) {
    places[at] = Math.max(places[at]!, at === 0 ? top : places[at - 1]! + NAME_GAP);
  }
  for (let at = places.length - 1; at >= 0; at--) {
    places[at] = Math.min(places[at]!, at === places.length - 1 ? bottom : places[at + 1]! - NAME_GAP);
  }
  return places;
}

function styleClass(style: number | undefined): string {
  if (style === undefined) return 'back';
  return `c${style % COLORS}${style >= COLORS ? ` d${Math.floor(style / COLORS)}` : ''}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Powers of ten from the one below the smallest value to the one above the largest. */
export function decades(from: number, to: number): readonly number[] {
  const first = Math.floor(Math.log10(from) + 1e-9);
  const last = Math.ceil(Math.log10(to) - 1e-9);
  return Array.from({ length: Math.max(1, last - first) + 1 }, (_, at) => 10 ** (first + at));
}
