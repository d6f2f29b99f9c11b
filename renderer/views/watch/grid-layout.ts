/** How many columns show n pictures largest in a given space; pure. */

export interface GridShape {
  readonly columns: number;
  readonly rows: number;
}

/** `aspect` is width by height of a picture; sizes in CSS pixels. */
export function gridShape(count: number, widthPx: number, heightPx: number, aspect: number, gapPx: number): GridShape {
  let best: GridShape = { columns: 1, rows: Math.max(1, count) };
  let bestArea = -1;
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(count / columns);
    const cellWidth = (widthPx - gapPx * (columns - 1)) / columns;
    const cellHeight = (heightPx - gapPx * (rows - 1)) / rows;
    if (cellWidth <= 0 || cellHeight <= 0) continue;
    const pictureWidth = Math.min(cellWidth, cellHeight * aspect);
    const area = pictureWidth * (pictureWidth / aspect);
    // With equal pictures fewer empty cells look calmer.
    if (area > bestArea * 1.02 || (area > bestArea * 0.98 && columns * rows < best.columns * best.rows)) {
      bestArea = area;
      best = { columns, rows };
    }
  }
  return best;
}
