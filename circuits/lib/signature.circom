pragma circom 2.2.0;

include "circomlib/circuits/babyjub.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/eddsaposeidon.circom";
include "circomlib/circuits/poseidon.circom";
include "../generated/constants.circom";

/**
 * A signature of `message` by `key`, demanded only where enabled.
 *
 * Statement: signature_r is on the curve, and enabled => key is not (0, 0), key is on the curve, 8 * key is not the
 * identity, signature_s < the subgroup order, and signature_s * B8 = signature_r + 8 * h * key with
 * h = Poseidon(5)(signature_r, key, message).
 *
 * Never unsatisfiable where disabled, whatever `key` is, if the caller then pins signature_r = (0, 1) and
 * signature_s = 0: circomlib's verifier constrains its points even then, so it is given the base point for a key.
 *
 * circomlib's additions are complete on the curve only, hence both checks of points; (0, 0) is not on the curve, yet
 * that is not what refuses it: circomlib's multiplication takes any point with x = 0 for the identity.
 *
 * Inputs:
 *   enabled         {bool}   assumed (by Authorise)
 *   key[2]          {field}  any
 *   signature_r[2]  {field}  constrained here
 *   signature_s     {field}  constrained here (< 2^253, and < the order where enabled)
 *   message         {field}  assumed (by Authorise)
 */
template CheckSignature() {
    signal input enabled;
    signal input key[2];
    signal input signature_r[2];
    signal input signature_s;
    signal input message;

    // A key is there
    component x_is_zero = IsZero();
    component y_is_zero = IsZero();
    x_is_zero.in <== key[0];
    y_is_zero.in <== key[1];
    signal no_key <== x_is_zero.out * y_is_zero.out;
    enabled * no_key === 0;

    // enabled ? key : base point
    var BASE[2] = [
        5299619240641551281634865583518297030282874472190772894086521144482721001553,
        16950150798460657717958625567821834550301663161624707787222815936182638968203
    ];
    signal checked_key[2];
    for (var i = 0; i < 2; i++) {
        checked_key[i] <== BASE[i] + enabled * (key[i] - BASE[i]);
    }
    component key_on_curve = BabyCheck();
    key_on_curve.x <== checked_key[0];
    key_on_curve.y <== checked_key[1];
    component r_on_curve = BabyCheck();
    r_on_curve.x <== signature_r[0];
    r_on_curve.y <== signature_r[1];

    component verifier = EdDSAPoseidonVerifier();
    verifier.enabled <== enabled;
    verifier.Ax <== checked_key[0];
    verifier.Ay <== checked_key[1];
    verifier.S <== signature_s;
    verifier.R8x <== signature_r[0];
    verifier.R8y <== signature_r[1];
    verifier.M <== message;
}
