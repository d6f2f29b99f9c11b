/** Owns the answers of the imaging service (ver20/imaging/wsdl): settings that are kept and given back. */
import type { OnvifHost, OperationTable } from './onvif-host.ts';
import { childNode, childText, escapeXml } from './soap.ts';

const SETTINGS = ['Brightness', 'ColorSaturation', 'Contrast', 'IrCutFilter', 'Sharpness'] as const;

/** What a new camera is set to. */
export function defaultImaging(): Map<string, string> {
  return new Map([
    ['Brightness', '50'],
    ['ColorSaturation', '50'],
    ['Contrast', '50'],
    ['IrCutFilter', 'AUTO'],
    ['Sharpness', '50'],
  ]);
}

function settings(host: OnvifHost): string {
  return SETTINGS.map((name) => `<tt:${name}>${escapeXml(host.imaging.get(name) ?? '')}</tt:${name}>`).join('');
}

function range(name: string): string {
  return name === 'IrCutFilter' ? '<tt:IrCutFilterModes>ON</tt:IrCutFilterModes><tt:IrCutFilterModes>OFF</tt:IrCutFilterModes><tt:IrCutFilterModes>AUTO</tt:IrCutFilterModes>' : `<tt:${name}><tt:Min>0</tt:Min><tt:Max>100</tt:Max></tt:${name}>`;
}

export const IMAGING_OPERATIONS: OperationTable = {
  GetImagingSettings: (_request, host) => `<timg:GetImagingSettingsResponse><timg:ImagingSettings>${settings(host)}</timg:ImagingSettings></timg:GetImagingSettingsResponse>`,
  GetOptions: () => `<timg:GetOptionsResponse><timg:ImagingOptions>${SETTINGS.map(range).join('')}</timg:ImagingOptions></timg:GetOptionsResponse>`,
  SetImagingSettings: (request, host) => {
    const given = childNode(request.body, 'ImagingSettings');
    for (const name of SETTINGS) {
      const value = childText(given, name);
      if (value !== '') host.imaging.set(name, value);
    }
    return '<timg:SetImagingSettingsResponse/>';
  },
};
