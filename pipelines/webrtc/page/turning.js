// Turning: the text of "rotate" as degrees, moving or not; and the directions of a panorama (livelight/sphere.py).

/** "30" or "0..360" as {from, to, moving}, degrees. */
export function parsedTurn(text) {
  const [from, to = from] = String(text).split("..").map(Number);
  return Number.isFinite(from) && Number.isFinite(to) ? { from, to, moving: from !== to } : { from: 0, to: 0, moving: false };
}

/** Degrees at `seconds` after the session's first picture. */
export function turnedAt(turn, periodS, seconds) {
  const part = turn.moving ? (Math.max(seconds, 0) / periodS) % 1 : 0;
  return turn.from + (turn.to - turn.from) * part;
}

/** Into [-180, 180). */
export function wrapped(degrees) {
  return ((((degrees + 180) % 360) + 360) % 360) - 180;
}

/** As the server takes it: at most one decimal. */
export function asText(degrees) {
  return String(Math.round(wrapped(degrees) * 10) / 10);
}

export function clamped(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** Row-major 3 x 3 matrix: directions in the panorama -> in the camera frame; its transpose leads back. */
export function turnMatrix(rotateDeg, pitchDeg) {
  const [a, b] = [(rotateDeg * Math.PI) / 180, (pitchDeg * Math.PI) / 180];
  const [ca, sa, cb, sb] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)];
  return [ca, 0, -sa, -sb * sa, cb, -sb * ca, cb * sa, sb, cb * ca];
}
