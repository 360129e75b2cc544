//! Lanes with memories of their own, on one budget, against the domain's rule on the sums.

use domain::budget::{Breach, Guard};
use domain::money::Micros;

use super::*;

const LINE_ITEM: LineItemId = LineItemId(7);
const LANES: u32 = 4;
/// Days that moves are of: more than a slot keeps.
const DAYS: u64 = 40;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    fn amount(&mut self, most: u64) -> i64 {
        self.below(most) as i64
    }
}

/// What stands in the table, and what the domain says of it.
#[derive(Default)]
struct Table {
    limits: Option<Limits>,
    version: u64,
    slots: Vec<Slot>,
    old: BTreeMap<Day, Used>,
    /// The same without slots.
    total: Used,
    days: BTreeMap<Day, Used>,
    /// Whether more was used than the limits allow, by moves that nothing guards.
    is_beyond: bool,
    /// How often all slots were written.
    wholes: u32,
    writes: u32,
}

impl Table {
    fn read(&self, days: &[Day]) -> Budget {
        let slots = if self.slots.is_empty() { vec![Slot::default()] } else { self.slots.clone() };
        let old = |day: &Day| (*day, self.old.get(day).copied().unwrap_or_default());
        Budget {
            limits: self.limits,
            version: self.version,
            slots: slots.into_iter().map(Arc::new).collect(),
            old: days.iter().map(old).collect(),
            is_fresh: true,
            ..Budget::default()
        }
    }

    /// Writes what a lane's transaction would; `false` if one of its conditions does not hold.
    fn write(&mut self, budget: &Budget, own: usize) -> bool {
        let has_head = budget.has_new_head || budget.version == 0;
        let written = |place: &usize| budget.is_whole || *place == own;
        let stands = |place: usize| self.slots.get(place).map_or(0, |slot| slot.version);
        let mut places = (0..budget.slots.len()).filter(written);
        let fits = places.all(|place| stands(place) == budget.slots[place].version);
        if !fits || (has_head && budget.version != self.version) {
            return false;
        }
        let round = self.slots.iter().map(|slot| slot.version).sum();
        self.slots.resize_with(self.slots.len().max(budget.slots.len()), Slot::default);
        for place in (0..budget.slots.len()).filter(written) {
            let mut slot = Slot::clone(&budget.slots[place]);
            for (day, used) in slot.part() {
                let sum = self.old.entry(day).or_default();
                *sum = plus(*sum, used);
            }
            slot.version += 1;
            slot.head = self.version + u64::from(has_head);
            slot.round = if budget.is_whole { round } else { slot.round };
            self.slots[place] = slot;
        }
        if has_head {
            self.version += 1;
            self.limits = budget.limits;
        }
        self.writes += 1;
        self.wholes += u32::from(budget.is_whole && budget.slots.len() > 1);
        true
    }

    /// What the domain says of a move.
    fn check(&self, by: &BudgetMove) -> Result<(), Breach> {
        let day = self.days.get(&by.day).copied().unwrap_or_default();
        match (self.limits, by.guard) {
            (Some(limits), _) => limits.check(&self.total, &day, by),
            (None, Guard::Free) => Ok(()),
            (None, _) => Err(Breach::Total),
        }
    }

    fn moved(&mut self, by: &BudgetMove) {
        self.total = self.total.moved(by);
        let day = self.days.entry(by.day).or_default();
        *day = day.moved(by);
        self.is_beyond |= !self.is_within(&self.total);
    }

    fn is_within(&self, used: &Used) -> bool {
        let limits = self.limits.unwrap_or_default();
        used.committed().0 <= limits.total.0 + limits.grace.0
    }

    /// Slots and old days add up to what the domain has, and shares to what the limits leave.
    fn assert_adds_up(&self) {
        let budget = self.read(&self.days.keys().copied().collect::<Vec<_>>());
        assert_eq!(budget.total(), self.total);
        for (day, used) in &self.days {
            assert_eq!(budget.on(*day), Ok(*used), "{day:?}");
        }
        if let (Some(newest), level) = (self.days.last_key_value(), budget.level(LINE_ITEM)) {
            assert_eq!((level.day, level.today), (*newest.0, *newest.1));
        }
        let open = |slot: &Slot| slot.share.total.0.max(slot.total.committed().0);
        let most: i64 = self.slots.iter().map(open).sum();
        let limit = self.limits.unwrap_or_default().total.0;
        let is_shut = most <= self.total.committed().0;
        assert!(is_shut || most <= limit, "the slots may grow to {most} of {limit}");
    }
}

/// A lane makes a move as it would in a group of its own; `None` if it is refused.
fn spend(lane: &mut Books, table: &mut Table, by: &BudgetMove) -> Option<Breach> {
    let (mut fresh, mut days) = (Fresh::new(), Vec::new());
    for _ in 0..10 {
        let mut trial = Trial::default();
        match lane.spend(&mut trial, &fresh, &[*by], true) {
            Ok(()) => {
                let budget = &trial.0[&LINE_ITEM];
                let own = lane.own(budget);
                if table.write(budget, own) {
                    let told = budget.level(LINE_ITEM);
                    let is_beyond = table.is_beyond || !table.is_within(&table.total.moved(by));
                    let is_sound = is_beyond || table.is_within(&told.total);
                    assert!(is_sound, "nobody is told of a budget beyond its limits: {told:?}");
                    lane.keep(trial);
                    return None;
                }
                let is_whole = trial.wholes().next().is_some();
                // It is shown what it would have written.
                let shown = (0..table.slots.len()).filter(|place| is_whole || *place == own);
                for place in shown {
                    let found = table.slots[place].to_item(LINE_ITEM, place as u32);
                    lane.meet(LINE_ITEM, Some(&found), true);
                }
                if is_whole {
                    lane.lose_whole(LINE_ITEM);
                }
                fresh.clear();
            }
            Err(Stop::Read(line_item, day)) => {
                days.extend(day);
                fresh.insert(line_item, table.read(&days));
            }
            Err(Stop::Over(Outcome::OverBudget { breach, level, .. })) => {
                assert_eq!(level.total, table.total, "who is refused is told the truth");
                return Some(breach);
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("the lane does not find out how the budget stands")
}

fn set_limits(lane: &mut Books, table: &mut Table, limits: Limits) {
    let mut days = Vec::new();
    loop {
        let mut trial = Trial::default();
        let budget = table.read(&days);
        match lane.set_limits(&mut trial, budget, (LINE_ITEM, limits)) {
            Ok(_) => {
                let budget = &trial.0[&LINE_ITEM];
                assert!(table.write(budget, lane.own(budget)), "it was read just now");
                table.is_beyond = false;
                lane.keep(trial);
                return;
            }
            Err(day) => days.push(day),
        }
    }
}

/// A move such as the engine makes, or one that it never makes, now and then.
fn draw(dice: &mut Dice, table: &Table, today: u64) -> BudgetMove {
    let day = Day(today.saturating_sub(dice.below(3) * dice.below(15)) as i32);
    let still = BudgetMove {
        line_item: LINE_ITEM,
        day,
        held: Micros(0),
        booked: Micros(0),
        starts: 0,
        guard: Guard::Free,
    };
    let held = table.days.get(&day).map_or(0, |used| used.held.0).max(0);
    let part = Micros(dice.amount(held as u64 + 1).min(30));
    match dice.below(20) {
        0..10 => {
            // The ceiling grows with the day, and a move brings its own hold.
            let amount = dice.amount(40);
            let open = 20 + dice.amount(10) + (table.writes as i64 / 8);
            let paced = (dice.below(3) == 0).then_some(Micros(open + amount));
            let guard = Guard::Start { paced };
            BudgetMove { held: Micros(amount), starts: 1, guard, day: Day(today as i32), ..still }
        }
        10..14 => BudgetMove { held: Micros(-part.0), booked: part, ..still },
        14..16 => BudgetMove { held: Micros(-part.0), ..still },
        16..19 => {
            let extra = Micros(part.0 + dice.amount(20));
            BudgetMove { held: Micros(-part.0), booked: extra, guard: Guard::Extra, ..still }
        }
        _ => BudgetMove { booked: Micros(dice.amount(9)), ..still },
    }
}

fn draw_limits(dice: &mut Dice, table: &Table) -> Limits {
    let committed = table.total.committed().0.max(0);
    let or_none = |is_none: bool, limit: i64| (!is_none).then_some(limit);
    let starts = table.total.starts + dice.below(200) as u32;
    Limits {
        total: Micros(committed + dice.amount(400)),
        daily: or_none(dice.below(2) == 0, dice.amount(150)).map(Micros),
        grace: Micros(dice.amount(30)),
        starts: or_none(dice.below(2) == 0, starts.into()).map(|starts| starts as u32),
        daily_starts: or_none(dice.below(2) == 0, dice.amount(12)).map(|starts| starts as u32),
    }
}

/// Whatever the lanes remember, a move is made exactly if the domain allows it on the sums, and
/// refused for the limit that the domain names.
#[test]
fn lanes_decide_as_the_domain_does() {
    let (mut refused, mut wholes, mut writes, mut slots) = (0, 0, 0, 0);
    for seed in 1..=20 {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let mut lanes: Vec<_> = (0..LANES).map(|lane| Books::new(lane, LANES)).collect();
        let mut table = Table::default();
        for step in 0..600 {
            let lane = &mut lanes[dice.below(LANES.into()) as usize];
            if dice.below(50) == 0 {
                let limits = draw_limits(&mut dice, &table);
                set_limits(lane, &mut table, limits);
            }
            let by = draw(&mut dice, &table, step * DAYS / 600);
            let wanted = table.check(&by).err();
            assert_eq!(spend(lane, &mut table, &by), wanted, "seed {seed}, step {step}: {by:?}");
            match wanted {
                None => table.moved(&by),
                Some(_) => refused += 1,
            }
            table.assert_adds_up();
        }
        wholes += table.wholes;
        writes += table.writes;
        slots = slots.max(table.slots.len());
    }
    assert_eq!(slots, LANES as usize, "the budgets have grown");
    assert!(refused > 500, "{refused} moves were refused");
    assert!(wholes * 2 < writes, "{wholes} of {writes} groups wrote every slot");
}

/// Where another lane has written all slots, this one may have been given what others gave back: with
/// what is remembered of those it would seem that more is used than the limits allow.
#[test]
fn a_lane_forgets_the_others_once_all_slots_were_written_together() {
    let mut lane = Books::new(0, 2);
    let slot = |version, round| Slot { version, head: 1, round, ..Slot::default() };
    let budget = Budget {
        limits: Some(Limits { total: Micros(100), ..Limits::default() }),
        version: 1,
        slots: vec![Arc::new(slot(3, 5)), Arc::new(slot(4, 5))],
        is_fresh: true,
        ..Budget::default()
    };
    lane.remember(&Fresh::from([(LINE_ITEM, budget)]));
    let still = BudgetMove {
        line_item: LINE_ITEM,
        day: Day(1),
        held: Micros(0),
        booked: Micros(0),
        starts: 0,
        guard: Guard::Free,
    };
    let mut is_known_after = |found: Slot| {
        lane.meet(LINE_ITEM, Some(&found.to_item(LINE_ITEM, 0)), true);
        lane.spend(&mut Trial::default(), &Fresh::new(), &[still], false).is_ok()
    };
    assert!(is_known_after(slot(4, 5)), "somebody has written this slot alone");
    assert!(!is_known_after(slot(5, 8)), "somebody has written all slots");
}
