<?php

const TOLERANCE = 300; // seconds

// $headers: their names in lower case. $body: the bytes as they came, file_get_contents('php://input').
function is_from_leadline(string $secret, array $headers, string $body): bool
{
    $id = $headers['webhook-id'] ?? '';
    $timestamp = $headers['webhook-timestamp'] ?? '';
    if (!preg_match('/^\d+$/D', $timestamp) || abs(time() - (int) $timestamp) > TOLERANCE) {
        return false;
    }
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret));
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    foreach (explode(' ', $headers['webhook-signature'] ?? '') as $signature) { // two while the secret is rotated
        if (hash_equals($expected, $signature)) {
            return true;
        }
    }
    return false;
}
