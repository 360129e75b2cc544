//! Writes every sample of every page into a folder that any file server can show:
//! `cargo run -p pages --example samples -- FOLDER`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use pages::page::{Page, render};
use pages::theme::Theme;
use pages::{MissionDetail, MissionList, Notice, Wallet, assets};

/// Stand-ins for what a creative would bring.
const MEDIA: [(&str, &str); 3] = [
    ("farm", include_str!("media/farm.svg")),
    ("wide", include_str!("media/wide.svg")),
    ("logo", include_str!("media/logo.svg")),
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder")?;
    let folder = PathBuf::from(folder);
    write_assets(&folder)?;
    write_samples::<MissionList>(&folder)?;
    write_samples::<MissionDetail>(&folder)?;
    write_samples::<Wallet>(&folder)?;
    write_samples::<Notice>(&folder)?;
    Ok(())
}

fn write_assets(folder: &Path) -> Result<(), Box<dyn Error>> {
    for part in ["m/assets", "m/theme", "m/media"] {
        fs::create_dir_all(folder.join(part))?;
    }
    let css = assets::stylesheet();
    fs::write(folder.join("m/assets").join(&css.name), &css.body)?;
    for name in ["ffcc00-6.css", "0a7d5a-24.css"] {
        let theme = Theme::from_name(name).ok_or("not a theme")?;
        fs::write(folder.join("m/theme").join(name), theme.css())?;
    }
    for (name, svg) in MEDIA {
        fs::write(folder.join(format!("m/media/{name}.svg")), svg)?;
    }
    Ok(())
}

fn write_samples<P: Page>(folder: &Path) -> Result<(), Box<dyn Error>> {
    for sample in P::samples() {
        let rendered = render(&sample.page)?;
        let name = format!("{}-{}.html", P::NAME, sample.name);
        fs::write(folder.join(name), rendered.body)?;
    }
    Ok(())
}
