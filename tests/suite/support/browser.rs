//! A browser without JavaScript: cookies, forms, redirects, and nothing else.

use std::collections::BTreeMap;

use reqwest::header::{ACCEPT, COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode, Url};
use scraper::{ElementRef, Html, Selector};

pub struct Browser {
    client: Client,
    home: String,
    pub cookies: BTreeMap<String, String>,
}

/// Where the browser is after all redirects.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub url: Url,
    pub headers: HeaderMap,
    pub html: String,
}

impl Page {
    /// Without the query.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    pub fn text(&self, selector: &str) -> String {
        let html = Html::parse_document(&self.html);
        let selector = Selector::parse(selector).unwrap();
        let texts: Vec<_> = html.select(&selector).map(visible_text).collect();
        texts.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The hidden fields of the one form with this action.
    pub fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let html = Html::parse_document(&self.html);
        let form = Selector::parse(&format!("form[action=\"{action}\"]")).unwrap();
        let input = Selector::parse("input[type=hidden]").unwrap();
        let forms: Vec<_> = html.select(&form).collect();
        assert_eq!(forms.len(), 1, "{action} on {}: {}", self.url, self.text("main"));
        let field = |input: ElementRef| {
            (input.attr("name").unwrap().to_owned(), input.attr("value").unwrap_or_default().to_owned())
        };
        forms[0].select(&input).map(field).collect()
    }

    /// Of the first element.
    pub fn attribute(&self, selector: &str, name: &str) -> String {
        let html = Html::parse_document(&self.html);
        let element = html.select(&Selector::parse(selector).unwrap()).next();
        element.and_then(|element| element.attr(name)).unwrap_or_default().to_owned()
    }

    pub fn heading(&self) -> String {
        self.text("h1")
    }
}

impl Browser {
    pub fn new(home: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { client, home: home.to_owned(), cookies: BTreeMap::new() }
    }

    pub fn home(&self) -> &str {
        &self.home
    }

    /// The same browser at another address of the app.
    pub fn window_at(&self, home: &str) -> Self {
        Self { home: home.to_owned(), ..self.window() }
    }

    /// A second window of the same browser.
    pub fn window(&self) -> Self {
        Self { client: self.client.clone(), home: self.home.clone(), cookies: self.cookies.clone() }
    }

    pub async fn get(&mut self, path: &str) -> Page {
        self.follow(Method::GET, self.absolute(path), &[]).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        self.follow(Method::POST, self.absolute(path), form).await
    }

    /// One request, no redirect followed.
    pub async fn once(&mut self, method: Method, path: &str, form: &[(&str, &str)]) -> Page {
        self.send(method, self.absolute(path), form).await
    }

    /// Sends the page's form with this action, with its hidden fields and these.
    pub async fn press(&mut self, page: &Page, action: &str, more: &[(&str, &str)]) -> Page {
        let fields = page.hidden(action);
        let mut form: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        form.extend(more);
        self.post(action, &form).await
    }

    /// Sends the "Subscribe" form; ends on Stripe's page, or wherever else it leads.
    pub async fn subscribe(&mut self, plan: &str, interval: &str) -> Page {
        self.post("/api/start_checkout", &[("plan", plan), ("interval", interval)]).await
    }

    /// Fills in the hosted checkout page, sends it, and goes where it leads.
    pub async fn pay(&mut self, checkout: &Page, card: &str) -> Page {
        self.follow(Method::POST, checkout.url.clone(), &card_form(card)).await
    }

    /// Pays, and closes the browser before it comes back to the shop.
    pub async fn pay_and_leave(&mut self, checkout: &Page, card: &str) {
        let page = self.send(Method::POST, checkout.url.clone(), &card_form(card)).await;
        assert_eq!(page.status, 303, "{}", page.html);
    }

    /// Goes to Stripe's portal for a new card, adds it, and comes back to the page it left from.
    pub async fn add_card(&mut self, card: &str, from: &str) -> Page {
        let portal = self.post("/api/open_portal", &[("flow", "payment_method"), ("from", from)]).await;
        let page = self.get(&format!("{}/cards", portal.url.as_str().trim_end_matches("/cards"))).await;
        let mut form = card_form(card).to_vec();
        form.push(("make_default", "yes"));
        self.post(page.url.as_str(), &form).await
    }

    fn absolute(&self, path: &str) -> Url {
        if path.starts_with("http") {
            path.parse().unwrap()
        } else {
            format!("{}{path}", self.home).parse().unwrap()
        }
    }

    async fn follow(&mut self, method: Method, url: Url, form: &[(&str, &str)]) -> Page {
        let mut page = self.send(method, url, form).await;
        for _ in 0..10 {
            let Some(location) = page.headers.get(LOCATION).filter(|_| page.is_redirect()) else {
                return page;
            };
            let next = page.url.join(location.to_str().unwrap()).unwrap();
            page = self.send(Method::GET, next, &[]).await;
        }
        panic!("too many redirects: {page:?}")
    }

    async fn send(&mut self, method: Method, url: Url, form: &[(&str, &str)]) -> Page {
        let ours = url.as_str().starts_with(&self.home);
        let mut request = self.client.request(method.clone(), url.clone()).header(ACCEPT, "text/html");
        if ours {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, cookies.join("; ")).header("sec-fetch-site", "same-origin");
        }
        if method == Method::POST {
            request = request.form(form);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        if ours {
            self.keep(&headers);
        }
        Page { status, url, headers, html: answer.text().await.unwrap() }
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() || text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// A word from each element, without scripts and styles.
fn visible_text(element: ElementRef) -> String {
    let texts = element.descendants().filter_map(|node| {
        let parent = node.parent().and_then(ElementRef::wrap)?;
        let shown = !["script", "style", "noscript"].contains(&parent.value().name());
        node.value().as_text().filter(|_| shown).map(|text| &**text)
    });
    texts.collect::<Vec<_>>().join("")
}

fn card_form(card: &str) -> [(&str, &str); 4] {
    [("card_number", card), ("expiry", "12 / 34"), ("cvc", "123"), ("name", "Ada Lovelace")]
}

impl Page {
    fn is_redirect(&self) -> bool {
        StatusCode::from_u16(self.status).unwrap().is_redirection()
    }
}
