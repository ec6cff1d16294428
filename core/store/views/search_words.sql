-- What a search compares: text without case and accents.
create or replace macro folded(words) as lower(strip_accents(words));

-- Whether a folded text holds each of the terms of a search; an empty one is in every text.
create or replace macro holds_all(content, term_1, term_2, term_3, term_4, term_5, term_6, term_7, term_8) as
    contains(content, folded(term_1)) and contains(content, folded(term_2))
    and contains(content, folded(term_3)) and contains(content, folded(term_4))
    and contains(content, folded(term_5)) and contains(content, folded(term_6))
    and contains(content, folded(term_7)) and contains(content, folded(term_8));
