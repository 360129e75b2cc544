//! A user's whole way, from the list to the wallet.

use domain::time::SECOND_MS;

use crate::world::World;

#[tokio::test]
async fn the_list_shows_what_can_be_earned() {
    let world = World::new().await;
    let page = world.open("ann").await;
    assert_eq!(page.at, "/m");
    assert_eq!(page.text("h1"), "Missions");
    // 1,250 of the castle, 20, 3 × 10, 30, and twice 10 for the places.
    assert_eq!(page.text(".hero-sum"), "1,350 P");
    assert_eq!(page.text(".hero-link strong"), "0 P");
    let chips = ["All", "Game 1", "Quiz 2", "Visit 1", "Daily 1", "Other 1"];
    assert_eq!(page.texts(".chips a"), chips);
    let castle = page.texts(".card").into_iter().find(|card| card.contains("Castle")).unwrap();
    for told in ["Build a castle", "+1,000 P", "2 steps", "up to 14 days", "New users only"] {
        assert!(castle.to_lowercase().contains(&told.to_lowercase()), "{told}: {castle}");
    }
    assert!(!page.body.contains("Seoul account"), "it is for Korea");
    assert!(!page.body.contains("Paused"));
    assert!(page.texts("#in-progress").is_empty());
}

#[tokio::test]
async fn a_chip_narrows_the_list() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    page.get("/m?kind=visit").await;
    assert_eq!(page.texts(".card h3"), ["Winter sale"]);
    assert_eq!(page.text(".chips a[aria-current]"), "Visit 1");
    page.get("/m?kind=purchase").await;
    assert_eq!(page.text(".empty h3"), "No missions of this kind now");
    page.get("/m?kind=nonsense&kind=visit&after=x&%ff").await;
    assert_eq!(page.texts(".card").len(), 6, "what is not understood is not wanted");
}

#[tokio::test]
async fn a_game_leads_to_its_landing_page_and_goes_on_from_there() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    page.get("/m/missions/1").await;
    assert_eq!(page.text("h1"), "Castle");
    assert_eq!(page.text(".cta button"), "Play now +1,000 P");
    assert_eq!(page.texts(".step h3").len(), 3);
    assert!(page.texts(".step .state").is_empty(), "nothing has a state before the start");
    assert_eq!(page.texts(".fine p"), ["One account for each person.", "Emulators do not count."]);
    page.submit("/start", &[]).await;
    assert_eq!(page.status, 303);
    assert!(page.at.starts_with("https://castle.example/start?click_id="), "{}", page.at);
    assert!(page.at.len() > "https://castle.example/start?click_id=".len() + 40);
    let landing = page.at.clone();

    page.get("/m").await;
    assert_eq!(page.texts(".running h3"), ["Castle"]);
    assert_eq!(page.text(".running .up-next"), "Next Install and open");
    page.get("/m/missions/1").await;
    let links = page.attributes("a.btn.big", "href");
    assert_eq!(links, [landing], "the same click id each time");
    let states = page.texts(".step .state");
    assert_eq!(states, ["Ready to do", "Locked: finish step 1 first", "Ready to do"]);
    assert!(page.texts(".flash").is_empty());
    world.wait(16 * 60 * SECOND_MS).await;
    page.get("/m/missions/1").await;
    assert_eq!(page.texts(".flash").len(), 1, "the installation was not seen");
}

#[tokio::test]
async fn a_quiz_is_answered_and_paid() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    page.get("/m/missions/2").await;
    page.submit("/start", &[]).await;
    assert_eq!(page.at, "/m/missions/2?n=started", "there is no landing page");
    assert_eq!(page.text("legend"), "Who drinks the most coffee?");
    assert_eq!(page.texts("label.answer"), ["Brazil", "Finland", "Italy"]);
    page.submit("/complete", &[]).await;
    assert_eq!(page.at, "/m/missions/2?n=no-answer");
    page.submit("/complete", &[("answer", "0")]).await;
    assert_eq!(page.at, "/m/missions/2?n=wrong-1");
    page.submit("/complete", &[("answer", "1")]).await;
    assert_eq!(page.at, "/m/missions/2?n=paid");
    assert!(page.text(".step .state").starts_with("Paid +20 P"));
    page.get("/m/wallet").await;
    assert_eq!(page.text(".hero-sum"), "20 P");
    assert_eq!(page.text(".entry .price"), "+20 P");
    assert_eq!(page.text(".entry .summary"), "Answer");
    assert!(page.text(".entry .meta").starts_with("Today 14:02"), "{}", page.text(".meta"));
}

#[tokio::test]
async fn a_check_in_counts_once_a_day() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    page.get("/m/missions/3").await;
    assert_eq!(page.text(".cta button"), "Check in for today +10 P");
    let (start, fields) = page.form("/start");
    for _ in 0..2 {
        page.post(&start, &fields).await;
        assert_eq!(page.at, "/m/missions/3?n=paid", "the tap starts and checks in, once");
    }
    assert!(page.texts("form").is_empty());
    assert!(!page.body.contains("other steps"));
    assert_eq!(page.text(".head .sums span"), "1 of 3 times");
    let bar =
        [page.attributes(".head progress", "value"), page.attributes(".head progress", "max")];
    assert_eq!(bar.concat(), ["1", "3"]);
    for place in [".step .hint", ".cta.idle p"] {
        assert_eq!(page.text(place), "Checked in. Again from 24 Nov 2026, 00:00");
    }
    assert!(page.texts(".step .state").is_empty(), "it is not ready to do");
    assert!(page.text(".step .times").contains('1'));
    world.sleep_over().await;
    let mut page = world.open("ann").await;
    assert_eq!(page.texts(".running .sums span"), ["1 of 3 times", "10 P of 30 P"]);
    assert_eq!(page.attributes(".running progress", "value"), ["1"]);
    page.get("/m/missions/3").await;
    assert_eq!(page.texts("form button"), ["Check in for today +10 P"], "one button, one tap");
    page.submit("/complete", &[]).await;
    assert_eq!(page.at, "/m/missions/3?n=paid");
    page.get("/m/wallet").await;
    assert_eq!(page.text(".hero-sum"), "20 P");
    assert_eq!(page.texts(".entry").len(), 2);
}

#[tokio::test]
async fn a_visit_lasts_is_checked_and_is_paid() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    page.get("/m/missions/4").await;
    page.submit("/start", &[]).await;
    page.submit("/visit", &[]).await;
    assert_eq!(page.at, "/m/missions/4?n=visit");
    assert_eq!(page.attributes(".do a.btn", "href"), ["https://shop.example/sale"]);
    page.submit("/complete", &[]).await;
    assert_eq!(page.at, "/m/missions/4?n=wait-30");
    world.wait(30 * SECOND_MS).await;
    page.submit("/complete", &[]).await;
    assert_eq!(page.at, "/m/missions/4?n=checking");
    assert_eq!(page.text(".step .state"), "Noticed, checking (usually about 24 h)");
    page.get("/m/wallet?show=checking").await;
    assert_eq!(page.text(".hero-sum"), "0 P");
    assert_eq!(page.text(".hero-note strong"), "+30 P");
    assert_eq!(page.texts(".entry").len(), 1);
    world.sleep_over().await;
    let mut page = world.open("ann").await;
    page.get("/m/wallet").await;
    assert_eq!(page.text(".hero-sum"), "30 P");
    assert_eq!(page.text(".entry .state"), "Paid", "one line, not one for the hold as well");
    page.get("/m/wallet?show=checking").await;
    assert_eq!(page.text(".empty h3"), "Nothing here");
    page.get("/m/missions/4").await;
    assert!(page.text(".step .state").starts_with("Paid +30 P"));
}

#[tokio::test]
async fn what_did_not_count_is_told() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    page.get("/m/missions/2").await;
    page.submit("/start", &[]).await;
    page.submit("/complete", &[("answer", "0")]).await;
    page.submit("/complete", &[("answer", "2")]).await;
    assert_eq!(page.at, "/m/missions/2?n=wrong-0");
    assert_eq!(page.text(".step .state"), "Did not count");
    assert!(page.texts("form").is_empty());
    page.get("/m/wallet?show=not_counted").await;
    assert_eq!(page.text(".entry h3"), "Coffee quiz");
    assert_eq!(page.text(".entry .why"), "The answers were not right, and no try is left.");
    page.get("/m/wallet?show=paid").await;
    assert_eq!(page.text(".empty h3"), "Nothing paid yet");
}

#[tokio::test]
async fn one_step_has_no_others() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    page.get("/m/missions/2").await;
    page.submit("/start", &[]).await;
    assert_eq!(page.at, "/m/missions/2?n=started");
    assert_eq!(page.texts("[aria-labelledby=what-next] li").len(), 2);
    assert!(!page.body.contains("other steps"));
}
