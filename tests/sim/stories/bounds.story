# Where looking ends: each cap is reached, said, and keeps a referral from being added without a look.
at 2026-03-02T08:00:00Z
# Seventy boys of one name and many birthdays, all strangers; then one without a date is everybody's.
series police a 70 {"agency":"police","concern_type":"neglect","narrative":"boy @n","people":[{"role":"index_child","given_name":"Jack","surname":"Smith","dob":"@y-@m-@d","postcode":"GL@n 9ZZ"}]}
submit police a-x {"agency":"police","concern_type":"neglect","narrative":"x","people":[{"role":"index_child","given_name":"Jack","surname":"Smith"}]}
submit police a-y {"agency":"police","concern_type":"neglect","narrative":"x","people":[{"role":"index_child","given_name":"Jack","surname":"Smith","dob":"2006-02-08","postcode":"GL1 9ZZ"}]}
# Eighty of them in one referral: more rows than one referral may read.
gathering police b 80 {"role":"sibling","given_name":"Jack","surname":"Smith","dob":"@y-@m-@d"}
# A man in ten families, then again with the child of the third, then alone.
series police c 10 {"agency":"police","concern_type":"domestic_abuse","narrative":"home @n","people":[{"role":"index_child","given_name":"Child@n","surname":"House@n","dob":"@y-@m-@d","postcode":"GL2 @nAA","address":"@n Mill Road"},{"role":"partner","given_name":"Rob","surname":"Vane","dob":"1981-10-31","gender":"M"}]}
submit police c-x {"agency":"police","concern_type":"domestic_abuse","narrative":"x","people":[{"role":"index_child","given_name":"Child2","surname":"House2","dob":"2007-03-15","postcode":"GL2 2AA","address":"2 Mill Road"},{"role":"partner","given_name":"Rob","surname":"Vane","dob":"1981-10-31","gender":"M"}]}
submit police c-y {"agency":"police","concern_type":"domestic_abuse","narrative":"x","people":[{"role":"partner","given_name":"Rob","surname":"Vane","dob":"1981-10-31","gender":"M"}]}
# Thirty children at one address, thirty more, then one of the first: more are unmentioned than may be listed.
gathering police d1 30 {"role":"sibling","given_name":"Alder@n","surname":"Quartermaine","dob":"@y-@m-@d","postcode":"GL5 5EE","address":"The Hall"}
submit police d0 {"agency":"police","concern_type":"neglect","narrative":"x","people":[{"role":"index_child","given_name":"Alder5","surname":"Quartermaine","dob":"2010-06-08","postcode":"GL5 5EE","address":"The Hall"}]}
gathering police d2 60 {"role":"sibling","given_name":"Alder@n","surname":"Quartermaine","dob":"@y-@m-@d","postcode":"GL5 5EE","address":"The Hall"}
submit police d3 {"agency":"police","concern_type":"neglect","narrative":"x","people":[{"role":"index_child","given_name":"Alder3","surname":"Quartermaine","dob":"2008-04-22","postcode":"GL5 5EE","address":"The Hall"}]}
# One girl nine times, moving every week: she is compared with what was said last, and with the best of it.
series school e 9 {"agency":"school","concern_type":"attendance","narrative":"week @n","people":[{"role":"index_child","given_name":"Rosalind","surname":"Featherstone","dob":"2013-05-17","postcode":"GL6 @nFF","address":"@n Orchard Way"}]}
