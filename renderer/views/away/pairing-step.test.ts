import { describe, expect, it } from 'vitest';
import type { PairingOffer } from '../../../shared/model/remote.ts';
import { type PairingFacts, pairingStep, timeLeft } from './pairing-step.ts';

const offer: PairingOffer = { kind: 'code', text: 'porchlight-pair:1.x', relays: ['wss://relay.example.org'], expiresMs: 300_000, triesLeft: 3, candidate: null, warning: null };
const came: PairingOffer = { ...offer, candidate: { name: 'Anna’s phone', digits: '123456', cameMs: 1_000 } };
const nothing: PairingFacts = { began: true, offer: null, allowing: null, allowed: null, lastPairing: null, turnedAway: null };
const kindOf = (facts: Partial<PairingFacts>) => pairingStep({ ...nothing, ...facts }).kind;

describe('where a pairing stands', () => {
  it('shows an earlier end only once the new offer is open', () => {
    expect(kindOf({ began: false, lastPairing: 'The code was not used in time.' })).toBe('opening');
    expect(pairingStep({ ...nothing, lastPairing: 'The code was not used in time.' })).toEqual({ kind: 'ended', sentence: 'The code was not used in time.' });
  });

  it('goes from the code to the device, and back where the device went away', () => {
    expect(kindOf({ offer })).toBe('offer');
    expect(pairingStep({ ...nothing, offer: came })).toMatchObject({ kind: 'candidate', candidate: { digits: '123456' }, busy: false });
    expect(kindOf({ offer })).toBe('offer');
  });

  it('keeps showing the device that is being let in when the home has ended the offer already', () => {
    expect(pairingStep({ ...nothing, allowing: came, lastPairing: 'Anna’s phone is paired.' })).toMatchObject({ kind: 'candidate', busy: true });
    expect(kindOf({ allowing: came, allowed: { name: 'Anna’s phone', grants: { cameras: [], untilMs: null } } })).toBe('allowed');
  });

  it('shows no code again that brought somebody else’s device', () => {
    expect(pairingStep({ ...nothing, offer, turnedAway: 'Laptop' })).toMatchObject({ kind: 'ended', sentence: expect.stringContaining('Laptop was turned away') as string });
  });

  it('counts down to nothing and shows no more than five minutes', () => {
    expect(timeLeft(300_000, 0)).toBe('5:00');
    expect(timeLeft(300_000, 55_500)).toBe('4:05');
    expect(timeLeft(300_000, -60_000)).toBe('5:00');
    expect(timeLeft(300_000, 299_001)).toBe('0:01');
    expect(timeLeft(300_000, 400_000)).toBe('0:00');
  });
});
