import { describe, expect, it } from 'vitest';
import { Bucket, LIMITS } from './limits.ts';

describe('a bucket', () => {
  it('gives its burst at once, then its rate', () => {
    const bucket = new Bucket(20, 40, 0);
    let taken = 0;
    while (bucket.take(0)) taken += 1;
    expect(taken).toBe(40);
    expect(bucket.take(49)).toBe(false);
    expect(bucket.take(50)).toBe(true);
    expect(bucket.take(50)).toBe(false);
    for (taken = 0; bucket.take(10_000); taken += 1);
    expect(taken).toBe(40);
  });

  it('says how long a debt takes to pay', () => {
    const bucket = new Bucket(1_000, 1_000, 0);
    expect(bucket.charge(1_000, 0)).toBe(0);
    expect(bucket.charge(500, 0)).toBe(500);
    expect(bucket.charge(0, 250)).toBe(250);
    expect(bucket.charge(0, 500)).toBe(0);
    expect(bucket.isFull(600)).toBe(false);
    expect(bucket.isFull(1_500)).toBe(true);
  });
});

it('lets a record pass whole, and no more than the protocol says', () => {
  expect(LIMITS.messageBytes).toBe(17 * 1024);
});
