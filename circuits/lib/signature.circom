pragma circom 2.2.0;

include "circomlib/circuits/babyjub.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";
include "multiply.circom";

/**
 * A signature of `message` by `key`, demanded only where enabled.
 *
 * Statement: signature_r is on the curve, and enabled => key is not (0, 0), key is on the curve, 8 * key is not the
 * identity, signature_s < the subgroup order, and signature_s * B8 = signature_r + 8 * h * key with
 * h = Poseidon(5)(signature_r, key, message). These are circomlib's signatures (protocol 15).
 *
 * Never unsatisfiable where disabled, whatever `key` and message are, if the caller then pins signature_r = (0, 1) and
 * signature_s = 0: all that is multiplied then is the base point, by 0.
 *
 * circomlib's additions are complete on the curve only, hence both checks of points; (0, 0) is not on the curve, yet
 * that is not what refuses it. That 8 * key is not the identity is MultiplyKey's to refuse.
 *
 * Inputs:
 *   enabled         {bool}   assumed (by Authorise)
 *   key[2]          {field}  any
 *   signature_r[2]  {field}  constrained here
 *   signature_s     {field}  constrained here
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
    var BASE[2] = BASE8();
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

    // 8 * key
    component doubled[3];
    for (var i = 0; i < 3; i++) {
        doubled[i] = BabyDbl();
        doubled[i].x <== i == 0 ? checked_key[0] : doubled[i - 1].xout;
        doubled[i].y <== i == 0 ? checked_key[1] : doubled[i - 1].yout;
    }

    signal hash <== Poseidon(5)([signature_r[0], signature_r[1], checked_key[0], checked_key[1], message]);
    component times_key = MultiplyKey();
    times_key.scalar <== enabled * hash;
    times_key.point <== [doubled[2].xout, doubled[2].yout];
    component right = BabyAdd();
    right.x1 <== signature_r[0];
    right.y1 <== signature_r[1];
    right.x2 <== times_key.out[0];
    right.y2 <== times_key.out[1];

    signal left[2] <== MultiplyBase()(signature_s);
    enabled * (left[0] - right.xout) === 0;
    enabled * (left[1] - right.yout) === 0;
}
