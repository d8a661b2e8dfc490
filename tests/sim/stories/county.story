# The first 500 referrals of the training county, as history: who is taken for whom, and why the digits.
lines referrals_2k/referrals.ndjson 1 500
