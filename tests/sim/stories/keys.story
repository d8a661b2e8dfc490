# Keys, refusals and requests: what an agency is answered, and what is kept of it.
at 2026-03-02T08:00:00Z
# A school's first referral, asked twice, then the same with another time of sending: one receipt.
submit school k1 {"agency":"school","agency_ref":"S-1","sent_at":"2026-03-02T07:59:00Z","concern_type":"neglect","narrative":"Hungry again.","people":[{"role":"index_child","given_name":"Mia","surname":"Hale","dob":"2016-05-04","postcode":"GL50 1AA","address":"3 Elm Road"}]}
submit school k1 {"agency":"school","agency_ref":"S-1","sent_at":"2026-03-02T07:59:00Z","concern_type":"neglect","narrative":"Hungry again.","people":[{"role":"index_child","given_name":"Mia","surname":"Hale","dob":"2016-05-04","postcode":"GL50 1AA","address":"3 Elm Road"}]}
submit school k1 {"agency":"school","agency_ref":"S-1","sent_at":"2026-03-02T08:01:00Z","concern_type":"neglect","narrative":"Hungry again.","people":[{"role":"index_child","given_name":"Mia","surname":"Hale","dob":"2016-05-04","postcode":"GL50 1AA","address":"3 Elm Road"}]}
# The key again for another child: refused, and what was sent is kept; the very same once more adds nothing.
submit school k1 {"agency":"school","concern_type":"physical_abuse","narrative":"A bruise.","people":[{"role":"index_child","given_name":"Tom","surname":"Ford","dob":"2015-01-09"}]}
submit school k1 {"agency":"school","concern_type":"physical_abuse","narrative":"A bruise.","people":[{"role":"index_child","given_name":"Tom","surname":"Ford","dob":"2015-01-09"}]}
submit school k1 {"agency":"school","concern_type":"physical_abuse","narrative":"Two bruises.","people":[{"role":"index_child","given_name":"Tom","surname":"Ford","dob":"2015-01-09"}]}
# The same key of another agency is another key.
submit police k1 {"agency":"police","concern_type":"domestic_abuse","narrative":"Attended.","people":[{"role":"index_child","given_name":"Ivy","surname":"Marsh","dob":"2017-11-20"}]}
# Under a new key, with the same words in another case: received, and said to be probably the same notice.
submit school k2 {"agency":"school","agency_ref":"S-2","concern_type":"neglect","narrative":"HUNGRY  again.","people":[{"role":"index_child","given_name":"Mia","surname":"Hale","dob":"2016-05-04","postcode":"GL50 1AA","address":"3 Elm Road"}]}
submit school k3 {"agency":"school","agency_ref":"S-2","concern_type":"neglect","narrative":"hungry again.","people":[{"role":"index_child","given_name":"Mia","surname":"Hale","dob":"2016-05-04","postcode":"GL50 1AA","address":"3 Elm Road"}]}
# One reference, one incident, the same persons, other words: probably the same notice; another incident is not.
submit police i1 {"agency":"police","agency_ref":"P-7","incident_at":"2026-02-28","concern_type":"domestic_abuse","narrative":"First words.","people":[{"role":"index_child","given_name":"Ada","surname":"Wren","dob":"2018-08-08"}]}
submit police i2 {"agency":"police","agency_ref":"P-7","incident_at":"2026-02-28","concern_type":"domestic_abuse","narrative":"Other words.","people":[{"role":"index_child","given_name":"Ada","surname":"Wren","dob":"2018-08-08"}]}
submit police i3 {"agency":"police","agency_ref":"P-7","incident_at":"2026-03-01","concern_type":"domestic_abuse","narrative":"Other words.","people":[{"role":"index_child","given_name":"Ada","surname":"Wren","dob":"2018-08-08"}]}
submit police i4 {"agency":"police","agency_ref":"P-7","incident_at":"2026-02-28","concern_type":"domestic_abuse","narrative":"Other words.","people":[{"role":"index_child","given_name":"Ned","surname":"Wren","dob":"2018-08-08"}]}
# Seven days to the hour it still is; a second later not.
at 2026-03-09T08:00:08Z
submit police i5 {"agency":"police","agency_ref":"P-7","incident_at":"2026-02-28","concern_type":"domestic_abuse","narrative":"Late words.","people":[{"role":"index_child","given_name":"Ada","surname":"Wren","dob":"2018-08-08"}]}
at 2026-03-20T08:00:00Z
submit police i6 {"agency":"police","agency_ref":"P-7","incident_at":"2026-02-28","concern_type":"domestic_abuse","narrative":"Far too late.","people":[{"role":"index_child","given_name":"Ada","surname":"Wren","dob":"2018-08-08"}]}
# Who may not: an agency nobody knows, a school for the police, an empty key, history without the right to it.
submit school n1 {"agency":"scouts","concern_type":"neglect","narrative":"x","people":[]}
submit school n2 {"agency":"police","concern_type":"neglect","narrative":"x","people":[]}
submit operator n3 {"agency":"police","concern_type":"neglect","narrative":"x","people":[]}
history police n4 {"agency":"police","received_at":"2020-01-01T00:00:00Z","concern_type":"neglect","narrative":"x","people":[]}
# History: received when the file says, and never later than now.
history importer h1 {"agency":"police","received_at":"2020-01-01T00:00:00Z","sent_at":"2020-01-02T00:00:00Z","concern_type":"neglect","narrative":"x","people":[{"role":"index_child","given_name":"Jo","surname":"Lane","dob":"2012-02-02"}]}
history importer h2 {"agency":"police","received_at":"2027-01-01T00:00:00Z","concern_type":"neglect","narrative":"x","people":[{"role":"index_child","given_name":"Jo","surname":"Lane","dob":"2012-02-02"}]}
# Requests about a referral: the sender's own, a reader's, a stranger's; numbers count up.
withdraw school #1 sent twice by mistake
withdraw school #1 yes, really
withdraw police #1 not ours
withdraw operator #1 asked for by telephone
withdraw school #999 never heard of
amend school #1 {"agency":"school","concern_type":"neglect","narrative":"Hungry, and cold.","people":[{"role":"index_child","given_name":"Mia","surname":"Hale","dob":"2016-05-04"},{"role":"sibling","given_name":"Leo","surname":"Hale","dob":"2019-09-09"}]}
amend school #1 {"agency":"school","concern_type":"neglect","narrative":"Hungry, cold and alone.","people":[{"role":"index_child","given_name":"Mia","surname":"Hale","dob":"2016-05-04"}]}
amend school #1 {"agency":"police","concern_type":"neglect","narrative":"Whose?","people":[]}
amend police #1 {"agency":"school","concern_type":"neglect","narrative":"Not yours.","people":[]}
# A look: only a reader, only with a purpose, only at what there is; each look is recorded before it happens.
fetch operator #1 0 0 1
fetch operator #1 1 2 2
fetch operator #1 2 1 3
fetch operator #1 2 2 3
fetch operator #1 2 3 3
fetch operator #1 1 0 3
fetch operator #1 0 0 0
fetch operator #999 0 0 1
fetch school #1 0 0 5
# Two hundred people are a great many; one more is refused, with the numbers.
gathering police c1 200 {"role":"other_adult"}
gathering police c2 201 {"role":"other_adult"}
