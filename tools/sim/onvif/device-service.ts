/** Owns the answers of the ONVIF device service (ver10/device/wsdl). */
import { offeredServices, serviceAddress, type OnvifHost, type OperationTable } from './onvif-host.ts';
import { NAMESPACES, escapeXml } from './soap.ts';

function dateTime(element: string, ms: number): string {
  const at = new Date(ms);
  const time = `<tt:Time><tt:Hour>${at.getUTCHours()}</tt:Hour><tt:Minute>${at.getUTCMinutes()}</tt:Minute><tt:Second>${at.getUTCSeconds()}</tt:Second></tt:Time>`;
  const date = `<tt:Date><tt:Year>${at.getUTCFullYear()}</tt:Year><tt:Month>${at.getUTCMonth() + 1}</tt:Month><tt:Day>${at.getUTCDate()}</tt:Day></tt:Date>`;
  return `<tt:${element}>${time}${date}</tt:${element}>`;
}

function systemDateAndTime(host: OnvifHost): string {
  const { quirks } = host;
  const now = host.clockMs() + quirks.number('local-as-utc') * 60_000;
  const times = quirks.flag('no-date-time') ? '' : dateTime('UTCDateTime', now) + dateTime('LocalDateTime', now);
  const settings = `<tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>GMT0</tt:TZ></tt:TimeZone>${times}`;
  return `<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>${settings}</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`;
}

function services(host: OnvifHost): string {
  const list = offeredServices(host).map((service) => {
    const version = service === 'tr2' || service === 'tptz' || service === 'timg' ? 20 : 17;
    return `<tds:Service><tds:Namespace>${NAMESPACES[service]}</tds:Namespace><tds:XAddr>${escapeXml(serviceAddress(host, service))}</tds:XAddr><tds:Version><tt:Major>${version}</tt:Major><tt:Minor>12</tt:Minor></tds:Version></tds:Service>`;
  });
  return `<tds:GetServicesResponse>${list.join('')}</tds:GetServicesResponse>`;
}

function capabilities(host: OnvifHost): string {
  const offered = offeredServices(host);
  const address = (service: (typeof offered)[number]): string => `<tt:XAddr>${escapeXml(serviceAddress(host, service))}</tt:XAddr>`;
  const parts = [`<tt:Device>${address('tds')}</tt:Device>`];
  if (offered.includes('tev')) {
    parts.push(
      `<tt:Events>${address('tev')}<tt:WSSubscriptionPolicySupport>true</tt:WSSubscriptionPolicySupport><tt:WSPullPointSupport>true</tt:WSPullPointSupport><tt:WSPausableSubscriptionManagerInterfaceSupport>false</tt:WSPausableSubscriptionManagerInterfaceSupport></tt:Events>`,
    );
  }
  if (offered.includes('timg')) parts.push(`<tt:Imaging>${address('timg')}</tt:Imaging>`);
  if (offered.includes('trt')) {
    parts.push(
      `<tt:Media>${address('trt')}<tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>`,
    );
  }
  if (offered.includes('tptz')) parts.push(`<tt:PTZ>${address('tptz')}</tt:PTZ>`);
  return `<tds:GetCapabilitiesResponse><tds:Capabilities>${parts.join('')}</tds:Capabilities></tds:GetCapabilitiesResponse>`;
}

/** The scopes of a camera, for GetScopes and for discovery. */
export function scopesOf(host: Pick<OnvifHost, 'name' | 'model' | 'ptz'>): string[] {
  const scopes = ['type/video_encoder', 'type/audio_encoder', 'Profile/Streaming', 'Profile/T', `hardware/${encodeURIComponent(host.model)}`, `name/${encodeURIComponent(host.name)}`, 'location/home'];
  if (host.ptz !== null) scopes.push('type/ptz');
  return scopes.map((scope) => `onvif://www.onvif.org/${scope}`);
}

function deviceInformation(host: OnvifHost): string {
  const numeric = host.quirks.flag('numeric-tokens');
  const latin = host.quirks.flag('iso-8859-1');
  const maker = latin ? 'Lanternwörks' : 'Lanternworks';
  const firmware = numeric ? '5.10' : 'V2.4.1';
  const serial = numeric ? '12345678901234567890' : host.serial;
  return `<tds:GetDeviceInformationResponse><tds:Manufacturer>${maker}</tds:Manufacturer><tds:Model>${escapeXml(host.model)}</tds:Model><tds:FirmwareVersion>${firmware}</tds:FirmwareVersion><tds:SerialNumber>${serial}</tds:SerialNumber><tds:HardwareId>${escapeXml(host.model)}</tds:HardwareId></tds:GetDeviceInformationResponse>`;
}

function networkInterfaces(host: OnvifHost): string {
  const mac = `02:4c:57:${[host.index >> 8, host.index & 0xff, 1].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
  const address = `<tt:Manual><tt:Address>${host.address()}</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:Manual>`;
  return `<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled><tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>${mac}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info><tt:IPv4><tt:Enabled>true</tt:Enabled><tt:Config>${address}<tt:DHCP>true</tt:DHCP></tt:Config></tt:IPv4></tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>`;
}

export const DEVICE_OPERATIONS: OperationTable = {
  GetSystemDateAndTime: (_request, host) => systemDateAndTime(host),
  GetServices: (_request, host) => services(host),
  GetCapabilities: (_request, host) => capabilities(host),
  GetServiceCapabilities: () =>
    '<tds:GetServiceCapabilitiesResponse><tds:Capabilities><tds:Network/><tds:Security UsernameToken="true" HttpDigest="true"/><tds:System DiscoveryBye="true"/></tds:Capabilities></tds:GetServiceCapabilitiesResponse>',
  GetDeviceInformation: (_request, host) => deviceInformation(host),
  GetScopes: (_request, host) =>
    `<tds:GetScopesResponse>${scopesOf(host)
      .map((scope) => `<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>${escapeXml(scope)}</tt:ScopeItem></tds:Scopes>`)
      .join('')}</tds:GetScopesResponse>`,
  GetHostname: (_request, host) =>
    `<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP><tt:Name>camera-${host.index}</tt:Name></tds:HostnameInformation></tds:GetHostnameResponse>`,
  GetEndpointReference: (_request, host) => `<tds:GetEndpointReferenceResponse><tds:GUID>urn:uuid:${host.uuid}</tds:GUID></tds:GetEndpointReferenceResponse>`,
  GetNetworkInterfaces: (_request, host) => networkInterfaces(host),
  GetNTP: () => '<tds:GetNTPResponse><tds:NTPInformation><tt:FromDHCP>true</tt:FromDHCP></tds:NTPInformation></tds:GetNTPResponse>',
  GetDNS: () => '<tds:GetDNSResponse><tds:DNSInformation><tt:FromDHCP>true</tt:FromDHCP></tds:DNSInformation></tds:GetDNSResponse>',
  GetNetworkProtocols: (_request, host) =>
    `<tds:GetNetworkProtocolsResponse><tds:NetworkProtocols><tt:Name>HTTP</tt:Name><tt:Enabled>true</tt:Enabled><tt:Port>${host.httpPort()}</tt:Port></tds:NetworkProtocols><tds:NetworkProtocols><tt:Name>RTSP</tt:Name><tt:Enabled>true</tt:Enabled><tt:Port>${host.rtspPort()}</tt:Port></tds:NetworkProtocols></tds:GetNetworkProtocolsResponse>`,
  GetNetworkDefaultGateway: () => '<tds:GetNetworkDefaultGatewayResponse><tds:NetworkGateway/></tds:GetNetworkDefaultGatewayResponse>',
  GetUsers: () =>
    '<tds:GetUsersResponse><tds:User><tt:Username>viewer</tt:Username><tt:UserLevel>Administrator</tt:UserLevel></tds:User></tds:GetUsersResponse>',
  GetDiscoveryMode: () => '<tds:GetDiscoveryModeResponse><tds:DiscoveryMode>Discoverable</tds:DiscoveryMode></tds:GetDiscoveryModeResponse>',
  SystemReboot: (_request, host) => {
    host.reboot();
    return '<tds:SystemRebootResponse><tds:Message>Rebooting in 1 second</tds:Message></tds:SystemRebootResponse>';
  },
};
