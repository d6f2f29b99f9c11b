/** What a picture does not show plainly: too little contrast, controls without a name or too small for a thumb, headings out of order, what is wider than the screen. */
import type { Page } from '@playwright/test';

// Each of the functions below runs in the page and must not refer to anything outside itself.

/** Text, and what stands in empty fields, with less contrast than WCAG's AA, by the colours that are drawn; text over pictures is left to the eye. */
function faintText(): string[] {
  type Rgba = readonly [number, number, number, number];
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const read = (color: string): Rgba => {
    if (canvas === null) return [0, 0, 0, 1];
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r = 0, g = 0, b = 0, a = 0] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a]: Rgba, [r2, g2, b2]: Rgba): Rgba => [r * a + r2 * (1 - a), g * a + g2 * (1 - a), b * a + b2 * (1 - a), 1];
  const luminance = ([r, g, b]: Rgba): number => {
    const [x = 0, y = 0, z = 0] = [r, g, b].map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element: Element): Rgba | null => {
    const layers: Rgba[] = [];
    for (let at: Element | null = element; at !== null; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== 'none' || at.matches('.tile, .picture, .sheet button')) return null;
      layers.push(read(style.backgroundColor));
      if ((layers.at(-1)?.[3] ?? 0) >= 0.999) break;
    }
    return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255, 1] as Rgba);
  };
  const opacityOf = (element: Element | null): number => (element === null ? 1 : Number(getComputedStyle(element).opacity) * opacityOf(element.parentElement));
  return [...(document.querySelector('.dialog') ?? document.body).querySelectorAll<HTMLElement>('*')].flatMap((element) => {
    const placeholder = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement ? (element.value === '' ? element.placeholder : '') : '';
    const text = placeholder === '' ? [...element.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE).map(({ textContent }) => textContent).join('').trim() : placeholder;
    if (text === '' || !element.checkVisibility() || element.offsetWidth <= 1 || element.closest(':disabled, .visually-hidden') !== null) return [];
    const ground = behind(element);
    if (ground === null) return [];
    const style = getComputedStyle(element, placeholder === '' ? null : '::placeholder');
    const [r, g, b, a] = read(style.color);
    const [one, two] = [luminance(over([r, g, b, a * opacityOf(element)], ground)), luminance(ground)];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    return [...(ratio < least ? [`contrast ${ratio.toFixed(2)}: “${text.slice(0, 40)}”`] : []), ...(size < 11 ? [`text of ${size} px: “${text.slice(0, 40)}”`] : [])];
  });
}

/** Controls nobody could name, and such that a thumb would miss. */
function poorControls(touch: boolean): string[] {
  const root = document.querySelector('.dialog') ?? document.body;
  return [...root.querySelectorAll<HTMLElement>('button, a[href], input:not([type="hidden"]), select, textarea, summary, [role="slider"], [role="menuitem"]')].flatMap((control) => {
    const style = getComputedStyle(control);
    if (!control.checkVisibility() || control.offsetWidth <= 1 || control.closest('.visually-hidden') !== null || style.opacity === '0' || style.pointerEvents === 'none') return [];
    const labels = [...((control as HTMLInputElement).labels ?? [])];
    const inner = [...control.querySelectorAll('[aria-label], img[alt]')].map((each) => each.getAttribute('aria-label') ?? each.getAttribute('alt'));
    const name = [control.getAttribute('aria-label'), control.getAttribute('aria-labelledby'), control.title, ...labels.map(({ textContent }) => textContent), ...inner, control.matches('select') ? '' : control.textContent].join('').trim();
    // A box is ticked by its label too; what lies over a control invisibly makes it larger; a link within a sentence is as high as its line.
    const { width, height } = (control.matches('[type="radio"], [type="checkbox"], [role="checkbox"]') ? (labels[0] ?? control) : control).getBoundingClientRect();
    const reach = Math.max(height, Number.parseFloat(getComputedStyle(control, '::after').height) || 0);
    const isSmall = touch && style.display !== 'inline' && !control.matches('.week-cell') && (reach < 36 || width < 24);
    return [...(name === '' ? [`no name: ${control.outerHTML.slice(0, 90)}`] : []), ...(isSmall ? [`small for a thumb, ${Math.round(width)}×${Math.round(reach)}: “${name.slice(0, 40)}”`] : [])];
  });
}

/** Headings that skip a level, and what does not fit. */
function poorOrder(): string[] {
  const root = document.querySelector('.dialog') ?? document.body;
  const levels = [...root.querySelectorAll('h1, h2, h3, h4')].filter((heading) => heading.checkVisibility()).map((heading) => ({ level: Number(heading.tagName[1]), text: heading.textContent }));
  const skipping = levels.filter(({ level }, index) => level > (levels[index - 1]?.level ?? 0) + 1);
  const wide = [document.documentElement, ...root.querySelectorAll('.view, .dialog, .card, .menu')].filter((box) => box.scrollWidth > box.clientWidth + 1 && box.clientWidth > 0);
  return [...skipping.map(({ level, text }) => `heading of level ${level} out of order: “${text}”`), ...wide.map((box) => `${box.scrollWidth - box.clientWidth} px wider than its place: ${box.tagName} ${box.className}`)];
}

/** Sentences about what is wrong on the page as it is now; `touch`: it is used with a thumb. */
export async function complaintsAbout(page: Page, touch: boolean): Promise<readonly string[]> {
  return [...new Set([...(await page.evaluate(faintText)), ...(await page.evaluate(poorControls, touch)), ...(await page.evaluate(poorOrder))])];
}
