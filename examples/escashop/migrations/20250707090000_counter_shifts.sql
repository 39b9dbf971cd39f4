-- godwit:description Who stands at which counter when: nobody in two places, no two people at one counter
-- migrate:up
CREATE TABLE counter_shifts (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  counter_id bigint NOT NULL REFERENCES counters,
  user_id    bigint NOT NULL REFERENCES users,
  during     tstzrange NOT NULL CONSTRAINT counter_shifts_during_bounded
             CHECK (NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)),
  CONSTRAINT counter_shifts_one_at_a_counter EXCLUDE USING gist (counter_id WITH =, during WITH &&),
  CONSTRAINT counter_shifts_one_place_at_a_time EXCLUDE USING gist (user_id WITH =, during WITH &&)
);

-- migrate:down
DROP TABLE counter_shifts;
