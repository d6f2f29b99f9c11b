/** Owns the answers of the event service and of pull points (ver10/events/wsdl; ONVIF Core Specification, section 9). */
import type { CameraEvent, Subscription } from './event-hub.ts';
import type { OnvifHost, OperationTable } from './onvif-host.ts';
import { SoapFault, childText, durationMs, escapeXml } from './soap.ts';

const DEFAULT_TERMINATION_MS = 60_000;
const DEFAULT_TOPIC = 'tns1:RuleEngine/CellMotionDetector/Motion';

function eventTime(host: OnvifHost, ms: number): string {
  const bare = new Date(ms).toISOString().slice(0, 19);
  if (host.quirks.flag('event-time-offset')) return `${bare}+00:00`;
  return host.quirks.flag('event-time-bare') ? bare : `${bare}Z`;
}

function valueText(host: OnvifHost, motion: boolean): string {
  const yes = host.quirks.text('event-value');
  if (yes === '1') return motion ? '1' : '0';
  if (yes === 'True') return motion ? 'True' : 'False';
  return motion ? 'true' : 'false';
}

function message(host: OnvifHost, event: CameraEvent): string {
  const topic = host.quirks.text('event-topic') || DEFAULT_TOPIC;
  const item = (name: string, value: string): string => `<tt:SimpleItem Name="${name}" Value="${escapeXml(value)}"/>`;
  const extra = host.quirks.flag('event-extra-items');
  const source = item('VideoSourceConfigurationToken', 'source_config_1') + item('VideoAnalyticsConfigurationToken', 'analytics_1') + item('Rule', 'MyMotionDetectorRule');
  const name = /CellMotionDetector\/Motion$/.test(topic) ? 'IsMotion' : 'State';
  const data = item(name, valueText(host, event.motion)) + (extra ? item('Score', '0.83') + item('Region', '1') : '');
  const inner = `<tt:Message UtcTime="${eventTime(host, event.atMs)}" PropertyOperation="${event.operation}"><tt:Source>${source}${extra ? item('Channel', '0') : ''}</tt:Source><tt:Data>${data}</tt:Data></tt:Message>`;
  return `<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">${escapeXml(topic)}</wsnt:Topic><wsnt:Message>${inner}</wsnt:Message></wsnt:NotificationMessage>`;
}

function subscriptionUrl(host: OnvifHost, subscription: Subscription): string {
  const { quirks } = host;
  let port = host.httpPort();
  if (quirks.flag('subscription-dead-port')) port = 9;
  if (quirks.flag('subscription-other-port')) port = host.otherHttpPort();
  const path = quirks.flag('subscription-odd-path') ? `/onvif/event%17sub:${subscription.id}` : `/onvif/subscription/${subscription.id}`;
  return `http://${host.address()}:${port}${path}`;
}

function times(host: OnvifHost, subscription: Subscription): string {
  const now = host.clockMs();
  return `<wsnt:CurrentTime>${eventTime(host, now)}</wsnt:CurrentTime><wsnt:TerminationTime>${eventTime(host, now + subscription.endsAtMs - performance.now())}</wsnt:TerminationTime>`;
}

/** Operations on the event service itself. */
export const EVENT_OPERATIONS: OperationTable = {
  GetEventProperties: () =>
    '<tev:GetEventPropertiesResponse><tev:TopicNamespaceLocation>http://www.onvif.org/onvif/ver10/topics/topicns.xml</tev:TopicNamespaceLocation><wsnt:FixedTopicSet>true</wsnt:FixedTopicSet><wstop:TopicSet><tns1:RuleEngine><CellMotionDetector><Motion wstop:topic="true"><tt:MessageDescription IsProperty="true"><tt:Source><tt:SimpleItemDescription Name="VideoSourceConfigurationToken" Type="tt:ReferenceToken"/></tt:Source><tt:Data><tt:SimpleItemDescription Name="IsMotion" Type="xs:boolean" xmlns:xs="http://www.w3.org/2001/XMLSchema"/></tt:Data></tt:MessageDescription></Motion></CellMotionDetector></tns1:RuleEngine></wstop:TopicSet><wsnt:TopicExpressionDialect>http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet</wsnt:TopicExpressionDialect><tev:MessageContentFilterDialect>http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter</tev:MessageContentFilterDialect></tev:GetEventPropertiesResponse>',
  GetServiceCapabilities: () =>
    '<tev:GetServiceCapabilitiesResponse><tev:Capabilities WSPullPointSupport="true" MaxPullPoints="10"/></tev:GetServiceCapabilitiesResponse>',
  CreatePullPointSubscription: (request, host) => {
    if (host.quirks.flag('create-refused') || host.events.subscriptionCount >= 10) {
      throw new SoapFault(400, ['wsnt:SubscribeCreationFailedFault'], 'Too many subscriptions');
    }
    const asked = durationMs(childText(request.body, 'InitialTerminationTime'), host.clockMs()) ?? DEFAULT_TERMINATION_MS;
    const subscription = host.events.subscribe(asked, host.clockMs());
    const body = `<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa:Address>${escapeXml(subscriptionUrl(host, subscription))}</wsa:Address>${
      host.quirks.flag('subscription-id') ? `<wsa:ReferenceParameters><SubscriptionId xmlns="http://www.example.com/subscription">${subscription.id}</SubscriptionId></wsa:ReferenceParameters>` : ''
    }</tev:SubscriptionReference>${times(host, subscription)}</tev:CreatePullPointSubscriptionResponse>`;
    if (host.quirks.flag('pull-forgets')) host.events.unsubscribe(subscription.id);
    return body;
  },
};

/** Operations on one subscription; `signal` aborts when the client leaves. */
export async function answerSubscription(id: string, operation: string, body: Parameters<typeof childText>[0], header: Parameters<typeof childText>[0], host: OnvifHost, signal: AbortSignal): Promise<string> {
  const subscription = host.events.find(id);
  if (subscription === null || (host.quirks.flag('subscription-id') && childText(header, 'SubscriptionId') !== id)) {
    throw new SoapFault(400, ['wsnt:ResourceUnknownFault'], 'The subscription is not known');
  }
  switch (operation) {
    case 'PullMessages': {
      const timeout = host.quirks.flag('pull-at-once') ? 0 : (durationMs(childText(body, 'Timeout'), 0) ?? 10_000);
      await subscription.wait(timeout, signal);
      const limit = Number(childText(body, 'MessageLimit')) || 100;
      const events = subscription.queue.splice(0, limit).filter((event) => event.motion || event.operation === 'Initialized' || !host.quirks.flag('event-no-false'));
      const head = `<tev:CurrentTime>${eventTime(host, host.clockMs())}</tev:CurrentTime><tev:TerminationTime>${eventTime(host, host.clockMs() + subscription.endsAtMs - performance.now())}</tev:TerminationTime>`;
      return `<tev:PullMessagesResponse>${head}${events.map((event) => message(host, event)).join('')}</tev:PullMessagesResponse>`;
    }
    case 'Renew': {
      if (host.quirks.flag('renew-unsupported')) throw new SoapFault(400, ['ter:ActionNotSupported'], 'Renew is not supported');
      subscription.endsAtMs = performance.now() + (durationMs(childText(body, 'TerminationTime'), host.clockMs()) ?? DEFAULT_TERMINATION_MS);
      return `<wsnt:RenewResponse>${times(host, subscription)}</wsnt:RenewResponse>`;
    }
    case 'Unsubscribe':
      host.events.unsubscribe(id);
      return '<wsnt:UnsubscribeResponse/>';
    case 'SetSynchronizationPoint':
      subscription.push({ atMs: host.clockMs(), operation: 'Initialized', motion: host.events.motion });
      return '<tev:SetSynchronizationPointResponse/>';
    default:
      throw new SoapFault(400, ['ter:ActionNotSupported'], `${operation} is not supported`);
  }
}

/** The address the answers to a subscription's requests need in their header. */
export function eventAction(operation: string): string {
  const base = operation === 'Renew' || operation === 'Unsubscribe' ? 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager' : 'http://www.onvif.org/ver10/events/wsdl/PullPointSubscription';
  return `<wsa:Action>${base}/${operation}Response</wsa:Action>`;
}

