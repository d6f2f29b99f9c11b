/** Owns the answers of the ONVIF media services, Media1 (ver10/media/wsdl) and Media2 (ver20/media/wsdl). */
import type { StreamFormat } from '../media/stream-feed.ts';
import type { SimStream } from '../send-log.ts';
import type { OnvifHost, OperationTable, SimProfile } from './onvif-host.ts';
import { SoapFault, childText, escapeXml } from './soap.ts';

type Flavour = 'trt' | 'tr2';

/** Profile tokens by stream; quirks give them odd looks, further video sources a number. */
function tokenOf(host: OnvifHost, { source, stream }: SimProfile): string {
  const more = source === 1 ? '' : `_${source}`;
  if (host.quirks.flag('numeric-tokens')) return stream === 'main' ? `1${more}` : `000${more}`;
  if (host.quirks.flag('ampersand-token')) return stream === 'main' ? `profile&main${more}` : `profile&sub${more}`;
  return stream === 'main' ? `profile_main${more}` : `profile_sub${more}`;
}

function profileOf(host: OnvifHost, token: string): SimProfile {
  const found = profilesOf(host).find((one) => tokenOf(host, one) === token);
  if (found === undefined) throw new SoapFault(400, ['ter:InvalidArgVal', 'ter:NoProfile'], 'The requested profile token does not exist');
  return found;
}

function profilesOf(host: OnvifHost): SimProfile[] {
  const streams: readonly SimStream[] = host.hasSub() ? ['main', 'sub'] : ['main'];
  return Array.from({ length: host.sources() }, (_unused, index) => streams.map((stream) => ({ source: index + 1, stream }))).flat();
}

function encoderToken({ source, stream }: SimProfile): string {
  return source === 1 ? `encoder_${stream}` : `encoder_${stream}_${source}`;
}

const FIRST: SimProfile = { source: 1, stream: 'main' };

const CODEC_NAMES = { h264: 'H264', h265: 'H265', mjpeg: 'JPEG' } as const;

function sourceBody(host: OnvifHost, source: number, format: StreamFormat): string {
  const { width, height } = format.video;
  const name = host.quirks.text('video-source-names').split(',')[source - 1]?.trim() ?? '';
  return `<tt:Name>${escapeXml(name === '' ? `VideoSource_${source}` : name)}</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>source_${source}</tt:SourceToken><tt:Bounds x="0" y="0" width="${width}" height="${height}"/>`;
}

function encoderBody(flavour: Flavour, stream: SimStream, format: StreamFormat): string {
  const { codec, width, height, fps } = format.video;
  const resolution = `<tt:Resolution><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:Resolution><tt:Quality>4</tt:Quality>`;
  const head = `<tt:Name>Video ${stream}</tt:Name><tt:UseCount>1</tt:UseCount>`;
  const multicast = '<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>';
  if (flavour === 'tr2') {
    return `${head}<tt:Encoding>${CODEC_NAMES[codec]}</tt:Encoding>${resolution.replace('<tt:Quality>4</tt:Quality>', '')}<tt:RateControl ConstantBitRate="false"><tt:FrameRateLimit>${fps}</tt:FrameRateLimit><tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl>${multicast}<tt:Quality>4</tt:Quality>`;
  }
  const limits = `<tt:RateControl><tt:FrameRateLimit>${fps}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl>`;
  // Media1 knows JPEG, MPEG4 and H264 only; cameras with H.265 leave the details out.
  const details = codec === 'h264' ? `<tt:H264><tt:GovLength>${fps}</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264>` : '';
  return `${head}<tt:Encoding>${codec === 'mjpeg' ? 'JPEG' : 'H264'}</tt:Encoding>${resolution}${limits}${details}${multicast}<tt:SessionTimeout>PT60S</tt:SessionTimeout>`;
}

const AUDIO_NAMES = { aac: ['AAC', 'MP4A-LATM'], pcma: ['G711', 'PCMA'], pcmu: ['G711', 'PCMU'] } as const;

function audioEncoder(flavour: Flavour, format: StreamFormat): string {
  if (format.audio === null) return '';
  const [first, second] = AUDIO_NAMES[format.audio.codec];
  const element = flavour === 'trt' ? 'tt:AudioEncoderConfiguration' : 'tr2:AudioEncoder';
  return `<${element} token="audio_1"><tt:Name>Audio</tt:Name><tt:UseCount>2</tt:UseCount><tt:Encoding>${flavour === 'trt' ? first : second}</tt:Encoding><tt:Bitrate>64</tt:Bitrate><tt:SampleRate>${format.audio.sampleRateHz / 1000}</tt:SampleRate></${element}>`;
}

async function profile(flavour: Flavour, host: OnvifHost, which: SimProfile, element: string): Promise<string> {
  const { source, stream } = which;
  const format = await host.format(which);
  const attributes = `token="${escapeXml(tokenOf(host, which))}" fixed="true"`;
  // Media1 has no H.265: such a profile has no encoder configuration there, as on real cameras.
  const bare = (host.quirks.flag('no-encoder-configuration') && stream === 'main') || (flavour === 'trt' && format.video.codec === 'h265');
  const ptz = host.ptz === null || host.quirks.flag('no-ptz') ? '' : '<tt:Name>PTZ</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>ptz_node_1</tt:NodeToken>';
  const name = stream === 'main' ? 'Main' : 'Sub';
  if (flavour === 'trt') {
    const encoder = bare ? '' : `<tt:VideoEncoderConfiguration token="${encoderToken(which)}">${encoderBody('trt', stream, format)}</tt:VideoEncoderConfiguration>`;
    const ptzPart = ptz === '' ? '' : `<tt:PTZConfiguration token="ptz_1">${ptz}</tt:PTZConfiguration>`;
    return `<trt:${element} ${attributes}><tt:Name>${name}</tt:Name><tt:VideoSourceConfiguration token="source_config_${source}">${sourceBody(host, source, format)}</tt:VideoSourceConfiguration>${encoder}${audioEncoder('trt', format)}${ptzPart}</trt:${element}>`;
  }
  const encoder = bare ? '' : `<tr2:VideoEncoder token="${encoderToken(which)}" GovLength="${Math.round(format.video.fps)}" Profile="Main">${encoderBody('tr2', stream, format)}</tr2:VideoEncoder>`;
  const ptzPart = ptz === '' ? '' : `<tr2:PTZ token="ptz_1">${ptz}</tr2:PTZ>`;
  return `<tr2:${element} ${attributes}><tr2:Name>${name}</tr2:Name><tr2:Configurations><tr2:VideoSource token="source_config_${source}">${sourceBody(host, source, format)}</tr2:VideoSource>${encoder}${audioEncoder('tr2', format)}${ptzPart}</tr2:Configurations></tr2:${element}>`;
}

function streamUri(host: OnvifHost, which: SimProfile): string {
  const address = host.quirks.flag('foreign-stream-host') ? 'camera.invalid' : host.address();
  const query = host.quirks.flag('ampersand-token') ? '?channel=1&subtype=0' : '';
  return `rtsp://${address}:${host.rtspPort()}/${host.streamPath(which)}${query}`;
}

function snapshotUri(host: OnvifHost): string {
  return `http://${host.address()}:${host.httpPort()}/snapshot.jpg`;
}

function mediaUri(uri: string): string {
  return `<trt:MediaUri><tt:Uri>${escapeXml(uri)}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>`;
}

async function profiles(flavour: Flavour, host: OnvifHost): Promise<string> {
  const list = await Promise.all(profilesOf(host).map((which) => profile(flavour, host, which, 'Profiles')));
  return `<${flavour}:GetProfilesResponse>${list.join('')}</${flavour}:GetProfilesResponse>`;
}

async function encoders(flavour: Flavour, host: OnvifHost): Promise<string> {
  const list = await Promise.all(
    profilesOf(host).map(async (which) => `<${flavour}:Configurations token="${encoderToken(which)}">${encoderBody(flavour, which.stream, await host.format(which))}</${flavour}:Configurations>`),
  );
  return `<${flavour}:GetVideoEncoderConfigurationsResponse>${list.join('')}</${flavour}:GetVideoEncoderConfigurationsResponse>`;
}

async function encoderOptions(flavour: Flavour, host: OnvifHost): Promise<string> {
  const { codec, width, height, fps } = (await host.format(FIRST)).video;
  const resolution = `<tt:ResolutionsAvailable><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:ResolutionsAvailable>`;
  const quality = '<tt:QualityRange><tt:Min>1</tt:Min><tt:Max>6</tt:Max></tt:QualityRange>';
  if (flavour === 'tr2') {
    return `<tr2:GetVideoEncoderConfigurationOptionsResponse><tr2:Options GovLengthRange="1 150" FrameRatesSupported="${fps}"><tt:Encoding>${CODEC_NAMES[codec]}</tt:Encoding>${quality}${resolution}<tt:BitrateRange><tt:Min>64</tt:Min><tt:Max>8192</tt:Max></tt:BitrateRange></tr2:Options></tr2:GetVideoEncoderConfigurationOptionsResponse>`;
  }
  const ranges = '<tt:GovLengthRange><tt:Min>1</tt:Min><tt:Max>150</tt:Max></tt:GovLengthRange><tt:FrameRateRange><tt:Min>1</tt:Min><tt:Max>30</tt:Max></tt:FrameRateRange><tt:EncodingIntervalRange><tt:Min>1</tt:Min><tt:Max>1</tt:Max></tt:EncodingIntervalRange>';
  return `<trt:GetVideoEncoderConfigurationOptionsResponse><trt:Options>${quality}<tt:H264>${resolution}${ranges}<tt:H264ProfilesSupported>Main</tt:H264ProfilesSupported></tt:H264></trt:Options></trt:GetVideoEncoderConfigurationOptionsResponse>`;
}

async function videoSources(host: OnvifHost): Promise<string> {
  const list = await Promise.all(
    Array.from({ length: host.sources() }, async (_unused, index) => {
      const { video } = await host.format({ source: index + 1, stream: 'main' });
      return `<trt:VideoSources token="source_${index + 1}"><tt:Framerate>${video.fps}</tt:Framerate><tt:Resolution><tt:Width>${video.width}</tt:Width><tt:Height>${video.height}</tt:Height></tt:Resolution></trt:VideoSources>`;
    }),
  );
  return `<trt:GetVideoSourcesResponse>${list.join('')}</trt:GetVideoSourcesResponse>`;
}

async function sourceConfigurations(flavour: Flavour, host: OnvifHost): Promise<string> {
  const list = await Promise.all(
    Array.from({ length: host.sources() }, async (_unused, index) => `<${flavour}:Configurations token="source_config_${index + 1}">${sourceBody(host, index + 1, await host.format({ source: index + 1, stream: 'main' }))}</${flavour}:Configurations>`),
  );
  return `<${flavour}:GetVideoSourceConfigurationsResponse>${list.join('')}</${flavour}:GetVideoSourceConfigurationsResponse>`;
}

export const MEDIA1_OPERATIONS: OperationTable = {
  GetProfiles: (_request, host) => profiles('trt', host),
  GetProfile: async (request, host) =>
    `<trt:GetProfileResponse>${await profile('trt', host, profileOf(host, childText(request.body, 'ProfileToken')), 'Profile')}</trt:GetProfileResponse>`,
  GetStreamUri: (request, host) =>
    `<trt:GetStreamUriResponse>${mediaUri(streamUri(host, profileOf(host, childText(request.body, 'ProfileToken'))))}</trt:GetStreamUriResponse>`,
  GetSnapshotUri: (request, host) => {
    profileOf(host, childText(request.body, 'ProfileToken'));
    return `<trt:GetSnapshotUriResponse>${mediaUri(snapshotUri(host))}</trt:GetSnapshotUriResponse>`;
  },
  GetVideoSources: (_request, host) => videoSources(host),
  GetVideoSourceConfigurations: (_request, host) => sourceConfigurations('trt', host),
  GetVideoEncoderConfigurations: (_request, host) => encoders('trt', host),
  GetVideoEncoderConfigurationOptions: (_request, host) => encoderOptions('trt', host),
  GetVideoEncoderConfiguration: async (request, host) => {
    const token = childText(request.body, 'ConfigurationToken');
    const which = profilesOf(host).find((one) => encoderToken(one) === token) ?? FIRST;
    return `<trt:GetVideoEncoderConfigurationResponse><trt:Configuration token="${encoderToken(which)}">${encoderBody('trt', which.stream, await host.format(which))}</trt:Configuration></trt:GetVideoEncoderConfigurationResponse>`;
  },
  GetAudioSources: () => '<trt:GetAudioSourcesResponse><trt:AudioSources token="audio_source_1"><tt:Channels>1</tt:Channels></trt:AudioSources></trt:GetAudioSourcesResponse>',
  GetServiceCapabilities: () =>
    '<trt:GetServiceCapabilitiesResponse><trt:Capabilities SnapshotUri="true"><trt:ProfileCapabilities MaximumNumberOfProfiles="2"/><trt:StreamingCapabilities RTP_TCP="true" RTP_RTSP_TCP="true"/></trt:Capabilities></trt:GetServiceCapabilitiesResponse>',
};

export const MEDIA2_OPERATIONS: OperationTable = {
  GetProfiles: (_request, host) => profiles('tr2', host),
  GetStreamUri: (request, host) =>
    `<tr2:GetStreamUriResponse><tr2:Uri>${escapeXml(streamUri(host, profileOf(host, childText(request.body, 'ProfileToken'))))}</tr2:Uri></tr2:GetStreamUriResponse>`,
  GetSnapshotUri: (_request, host) => `<tr2:GetSnapshotUriResponse><tr2:Uri>${escapeXml(snapshotUri(host))}</tr2:Uri></tr2:GetSnapshotUriResponse>`,
  GetVideoSourceConfigurations: (_request, host) => sourceConfigurations('tr2', host),
  GetVideoEncoderConfigurations: (_request, host) => encoders('tr2', host),
  GetVideoEncoderConfigurationOptions: (_request, host) => encoderOptions('tr2', host),
  GetServiceCapabilities: () =>
    '<tr2:GetServiceCapabilitiesResponse><tr2:Capabilities SnapshotUri="true"><tr2:ProfileCapabilities MaximumNumberOfProfiles="2"/><tr2:StreamingCapabilities RTSPStreaming="true" RTP_RTSP_TCP="true"/></tr2:Capabilities></tr2:GetServiceCapabilitiesResponse>',
};
