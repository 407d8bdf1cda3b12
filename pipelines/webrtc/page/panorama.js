// A small panorama in memory: drawn as a turned strip and on a chrome ball, and asked where its light comes from.

import { turnMatrix } from "./turning.js";

const WIDTH = 256;
const HEIGHT = 128;

export class Panorama {
  /** pixels: Uint8ClampedArray RGBA, WIDTH x HEIGHT. */
  constructor(pixels) {
    this.pixels = pixels;
  }

  /** Load a thumbnail. Rejects if there is no such picture. */
  static async load(url) {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
    const brush = canvas.getContext("2d", { willReadFrequently: true });
    brush.drawImage(image, 0, 0, WIDTH, HEIGHT);
    return new Panorama(brush.getImageData(0, 0, WIDTH, HEIGHT).data);
  }

  /** Draw through `lens` (below) into its canvas. */
  draw(lens, rotateDeg, pitchDeg) {
    const m = turnMatrix(rotateDeg, pitchDeg);
    const { directions, shade, cover, image } = lens;
    const out = image.data;
    for (let i = 0, d = 0; i < cover.length; i++, d += 3) {
      if (cover[i] === 0) continue;
      const [x, y, z] = [directions[d], directions[d + 1], directions[d + 2]];
      this.sample(m[0] * x + m[3] * y + m[6] * z, m[1] * x + m[4] * y + m[7] * z, m[2] * x + m[5] * y + m[8] * z, shade[i], out, 4 * i);
      out[4 * i + 3] = cover[i];
    }
    lens.brush.putImageData(image, 0, 0);
  }

  /** Bilinear colour in a direction of the panorama's own frame, times `shade`, into out[at..at+2]. */
  sample(x, y, z, shade, out, at) {
    const u = (Math.atan2(x, -z) / (2 * Math.PI) + 0.5) * WIDTH - 0.5;
    const v = (Math.atan2(Math.hypot(x, z), y) / Math.PI) * HEIGHT - 0.5;
    const column = Math.floor(u);
    const row = Math.max(Math.floor(v), 0);
    const [fx, fy] = [u - column, Math.max(v - row, 0)];
    const left = (column + WIDTH) % WIDTH;
    const right = (left + 1) % WIDTH;
    const below = Math.min(row + 1, HEIGHT - 1);
    const a = 4 * (row * WIDTH + left);
    const b = 4 * (row * WIDTH + right);
    const c = 4 * (below * WIDTH + left);
    const d = 4 * (below * WIDTH + right);
    const p = this.pixels;
    for (let k = 0; k < 3; k++) {
      const top = p[a + k] + (p[b + k] - p[a + k]) * fx;
      const bottom = p[c + k] + (p[d + k] - p[c + k]) * fx;
      out[at + k] = (top + (bottom - top) * fy) * shade;
    }
  }

  /** Where the light comes from, in the camera frame, and its colour: {x, y, z, rgb}; x, y, z in [-1, 1]. */
  light(rotateDeg, pitchDeg) {
    const sum = [0, 0, 0];
    const rgb = [0, 0, 0];
    let total = 0;
    for (let row = 2; row < HEIGHT; row += 4) {
      const theta = (Math.PI * (row + 0.5)) / HEIGHT;
      for (let column = 2; column < WIDTH; column += 4) {
        const i = 4 * (row * WIDTH + column);
        const level = (this.pixels[i] + this.pixels[i + 1] + this.pixels[i + 2]) / 765;
        const weight = level ** 5 * Math.sin(theta);
        const p = 2 * Math.PI * ((column + 0.5) / WIDTH - 0.5);
        sum[0] += weight * Math.sin(theta) * Math.sin(p);
        sum[1] += weight * Math.cos(theta);
        sum[2] -= weight * Math.sin(theta) * Math.cos(p);
        for (let k = 0; k < 3; k++) rgb[k] += weight * this.pixels[i + k];
        total += weight;
      }
    }
    if (total === 0) return { x: 0, y: 0, z: 1, rgb };
    const m = turnMatrix(rotateDeg, pitchDeg);
    const [x, y, z] = [0, 3, 6].map((r) => (m[r] * sum[0] + m[r + 1] * sum[1] + m[r + 2] * sum[2]) / total);
    return { x, y, z, rgb: rgb.map((value) => Math.round(value / total)) };
  }
}

/** A chrome ball seen by the camera, in the whole of a square canvas. */
export function ballLens(canvas) {
  return lens(canvas, (i, j, size) => {
    const [x, y] = [((i + 0.5) / size) * 2 - 1, 1 - ((j + 0.5) / size) * 2];
    const radius = Math.hypot(x, y);
    const shrink = radius > 0.998 ? 0.998 / radius : 1;
    const [nx, ny] = [x * shrink, y * shrink];
    const nz = Math.sqrt(1 - nx * nx - ny * ny);
    const cover = Math.min(Math.max(((1 - radius) * size) / 2 + 0.5, 0), 1);
    return { direction: [2 * nz * nx, 2 * nz * ny, 2 * nz * nz - 1], shade: 0.5 + 0.5 * Math.sqrt(nz), cover };
  });
}

/** The whole panorama, lat-long, in a canvas twice as wide as high. */
export function stripLens(canvas) {
  return lens(canvas, (i, j, width, height) => {
    const theta = (Math.PI * (j + 0.5)) / height;
    const p = 2 * Math.PI * ((i + 0.5) / width - 0.5);
    return { direction: [Math.sin(theta) * Math.sin(p), Math.cos(theta), -Math.sin(theta) * Math.cos(p)], shade: 1, cover: 1 };
  });
}

function lens(canvas, at) {
  const { width, height } = canvas;
  const brush = canvas.getContext("2d");
  const image = brush.createImageData(width, height);
  const directions = new Float32Array(3 * width * height);
  const shade = new Float32Array(width * height);
  const cover = new Uint8Array(width * height);
  for (let j = 0, n = 0; j < height; j++) {
    for (let i = 0; i < width; i++, n++) {
      const point = at(i, j, width, height);
      directions.set(point.direction, 3 * n);
      shade[n] = point.shade;
      cover[n] = Math.round(255 * point.cover);
    }
  }
  return { brush, image, directions, shade, cover };
}
