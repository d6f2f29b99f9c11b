/** Owns the pan-tilt-zoom head of a camera and the answers of the PTZ service (ver20/ptz/wsdl). */
import type { OnvifHost, OperationTable } from './onvif-host.ts';
import { SoapFault, childNode, childText, escapeXml, xmlTime, type XmlNode } from './soap.ts';

interface Position {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

/** Way per second at full speed, in the generic spaces (-1 to 1). */
const SPEED = 0.5;

function clamp(value: number, low: number): number {
  return Math.min(1, Math.max(low, value));
}

/** Where the head is; it moves with time while a continuous move lasts. */
export class PtzHead {
  readonly presets = new Map<string, { readonly name: string; readonly position: Position }>([
    ['preset_1', { name: 'Home', position: { x: 0, y: 0, zoom: 0 } }],
    ['preset_2', { name: 'Gate', position: { x: 0.6, y: -0.1, zoom: 0.4 } }],
  ]);
  #position: Position = { x: 0, y: 0, zoom: 0 };
  #velocity: Position = { x: 0, y: 0, zoom: 0 };
  #sinceMs = performance.now();
  #untilMs = Infinity;

  get moving(): boolean {
    return performance.now() < this.#untilMs && (this.#velocity.x !== 0 || this.#velocity.y !== 0 || this.#velocity.zoom !== 0);
  }

  position(): Position {
    const seconds = Math.max(0, (Math.min(performance.now(), this.#untilMs) - this.#sinceMs) / 1000) * SPEED;
    return {
      x: clamp(this.#position.x + this.#velocity.x * seconds, -1),
      y: clamp(this.#position.y + this.#velocity.y * seconds, -1),
      zoom: clamp(this.#position.zoom + this.#velocity.zoom * seconds, 0),
    };
  }

  /** Moves at this share of full speed until stopped or `timeoutMs` are over. */
  move(velocity: Position, timeoutMs: number): void {
    this.#position = this.position();
    this.#velocity = velocity;
    this.#sinceMs = performance.now();
    this.#untilMs = this.#sinceMs + timeoutMs;
  }

  goTo(position: Position): void {
    this.#position = { x: clamp(position.x, -1), y: clamp(position.y, -1), zoom: clamp(position.zoom, 0) };
    this.#velocity = { x: 0, y: 0, zoom: 0 };
  }
}

function headOf(host: OnvifHost): PtzHead {
  if (host.ptz === null) throw new SoapFault(400, ['ter:ActionNotSupported'], 'This camera does not move');
  return host.ptz;
}

function vector(node: XmlNode): Position {
  const at = (child: XmlNode, name: string): number => Number(child[`@${name}`] ?? 0) || 0;
  const panTilt = childNode(node, 'PanTilt');
  return { x: at(panTilt, 'x'), y: at(panTilt, 'y'), zoom: at(childNode(node, 'Zoom'), 'x') };
}

function vectorXml(position: Position): string {
  return `<tt:PanTilt x="${position.x.toFixed(4)}" y="${position.y.toFixed(4)}"/><tt:Zoom x="${position.zoom.toFixed(4)}"/>`;
}

function space(element: string, uri: string, low: number, pan: boolean): string {
  const y = pan ? `<tt:YRange><tt:Min>${low}</tt:Min><tt:Max>1</tt:Max></tt:YRange>` : '';
  return `<tt:${element}><tt:URI>http://www.onvif.org/ver10/tptz/${uri}</tt:URI><tt:XRange><tt:Min>${low}</tt:Min><tt:Max>1</tt:Max></tt:XRange>${y}</tt:${element}>`;
}

function node(): string {
  const spaces = [
    space('AbsolutePanTiltPositionSpace', 'PanTiltSpaces/PositionGenericSpace', -1, true),
    space('AbsoluteZoomPositionSpace', 'ZoomSpaces/PositionGenericSpace', 0, false),
    space('RelativePanTiltTranslationSpace', 'PanTiltSpaces/TranslationGenericSpace', -1, true),
    space('RelativeZoomTranslationSpace', 'ZoomSpaces/TranslationGenericSpace', -1, false),
    space('ContinuousPanTiltVelocitySpace', 'PanTiltSpaces/VelocityGenericSpace', -1, true),
    space('ContinuousZoomVelocitySpace', 'ZoomSpaces/VelocityGenericSpace', -1, false),
  ];
  return `<tt:Name>Head</tt:Name><tt:SupportedPTZSpaces>${spaces.join('')}</tt:SupportedPTZSpaces><tt:MaximumNumberOfPresets>16</tt:MaximumNumberOfPresets><tt:HomeSupported>true</tt:HomeSupported>`;
}

function empty(name: string): string {
  return `<tptz:${name}Response/>`;
}

function seconds(text: string): number {
  const match = /^PT([\d.]+)S$/.exec(text);
  return match === null ? 10 : Number(match[1]);
}

export const PTZ_OPERATIONS: OperationTable = {
  GetNodes: (_request, host) => {
    headOf(host);
    return `<tptz:GetNodesResponse><tptz:PTZNode token="ptz_node_1" FixedHomePosition="false">${node()}</tptz:PTZNode></tptz:GetNodesResponse>`;
  },
  GetNode: () => `<tptz:GetNodeResponse><tptz:PTZNode token="ptz_node_1">${node()}</tptz:PTZNode></tptz:GetNodeResponse>`,
  GetConfigurations: () =>
    '<tptz:GetConfigurationsResponse><tptz:PTZConfiguration token="ptz_1"><tt:Name>PTZ</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>ptz_node_1</tt:NodeToken></tptz:PTZConfiguration></tptz:GetConfigurationsResponse>',
  GetPresets: (_request, host) => {
    const presets = [...headOf(host).presets].map(
      ([token, preset]) => `<tptz:Preset token="${token}"><tt:Name>${escapeXml(preset.name)}</tt:Name><tt:PTZPosition>${vectorXml(preset.position)}</tt:PTZPosition></tptz:Preset>`,
    );
    return `<tptz:GetPresetsResponse>${presets.join('')}</tptz:GetPresetsResponse>`;
  },
  SetPreset: (request, host) => {
    const head = headOf(host);
    const token = childText(request.body, 'PresetToken') || `preset_${head.presets.size + 1}`;
    head.presets.set(token, { name: childText(request.body, 'PresetName') || token, position: head.position() });
    return `<tptz:SetPresetResponse><tptz:PresetToken>${escapeXml(token)}</tptz:PresetToken></tptz:SetPresetResponse>`;
  },
  RemovePreset: (request, host) => {
    headOf(host).presets.delete(childText(request.body, 'PresetToken'));
    return empty('RemovePreset');
  },
  GotoPreset: (request, host) => {
    const preset = headOf(host).presets.get(childText(request.body, 'PresetToken'));
    if (preset === undefined) throw new SoapFault(400, ['ter:InvalidArgVal', 'ter:NoToken'], 'The requested preset token does not exist');
    headOf(host).goTo(preset.position);
    return empty('GotoPreset');
  },
  GotoHomePosition: (_request, host) => {
    headOf(host).goTo({ x: 0, y: 0, zoom: 0 });
    return empty('GotoHomePosition');
  },
  ContinuousMove: (request, host) => {
    headOf(host).move(vector(childNode(request.body, 'Velocity')), seconds(childText(request.body, 'Timeout')) * 1000);
    return empty('ContinuousMove');
  },
  RelativeMove: (request, host) => {
    const by = vector(childNode(request.body, 'Translation'));
    const from = headOf(host).position();
    headOf(host).goTo({ x: from.x + by.x, y: from.y + by.y, zoom: from.zoom + by.zoom });
    return empty('RelativeMove');
  },
  AbsoluteMove: (request, host) => {
    headOf(host).goTo(vector(childNode(request.body, 'Position')));
    return empty('AbsoluteMove');
  },
  Stop: (_request, host) => {
    headOf(host).move({ x: 0, y: 0, zoom: 0 }, Infinity);
    return empty('Stop');
  },
  GetStatus: (_request, host) => {
    const head = headOf(host);
    const state = head.moving ? 'MOVING' : 'IDLE';
    return `<tptz:GetStatusResponse><tptz:PTZStatus><tt:Position>${vectorXml(head.position())}</tt:Position><tt:MoveStatus><tt:PanTilt>${state}</tt:PanTilt><tt:Zoom>${state}</tt:Zoom></tt:MoveStatus><tt:UtcTime>${xmlTime(host.clockMs())}</tt:UtcTime></tptz:PTZStatus></tptz:GetStatusResponse>`;
  },
};
