# Counts an access log a second time: plain and slow, written from the definitions of core/README.md and not from core's code,
# so that both must have understood them alike. Everything is a fact: a time, the values that it has in each dimension, and what
# it adds. A report is the sum of facts. Knows the agents, hosts and rules of t/data/golden.log, and no more.
package Footfall::Recount;
use v5.36;
use Exporter qw(import);
use List::Util qw(any first max);

our @EXPORT_OK = qw(recount report);

my $gap_ms_default = 30 * 60_000;
my $lookback_ms = 30 * 86_400_000;
my @models = qw(last last_non_direct first);
my @touch_dimensions = qw(channel source medium campaign content term code referrer_host referrer);

# --- lines -----------------------------------------------------------------------------------------------------------

my @fields = qw(address user local request status body referrer agent msec bytes type took site host visitor path country bot
    signals prefetch events);
my $line_form = do {
    my ($quoted, $word) = ('"((?:[^"\\\\]|\\\\.)*)"', '(\S+)');
    qr/^$word - $word \[([^\]]+)\] $quoted $word $word $quoted $quoted (\d+\.\d{3}) (\d+) $quoted $word $quoted $quoted $quoted $quoted $quoted $quoted $quoted $quoted $quoted$/;
};

# A hit as a hash; undef for what is no line of the format.
sub read_line ($line) {
    my %hit;
    @hit{@fields} = $line =~ $line_form or return;
    return if $hit{status} !~ /^\d{3}$/;
    for (@hit{@fields}) { $_ = '' if $_ eq '-'; s/\\x([0-9A-Fa-f]{2})/chr hex $1/ge }
    $hit{time_ms} = $hit{msec} * 1000;
    return \%hit;
}

# --- what a request says ---------------------------------------------------------------------------------------------

sub plain_text ($text) { $text =~ tr/+/ /; $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge; $text =~ s/^\s+|\s+$//g; $text }

# The first argument of that name that has a value.
sub argument ($query, $name) {
    for (split /&/, $query) {
        my ($key, $value) = split /=/, $_, 2;
        my $text = plain_text($value // '');
        return $text if $key eq $name && $text ne '';
    }
    return '';
}

sub normal_path ($path) {
    $path =~ s/%([0-9A-Fa-f]{2})/my $byte = chr hex $1; $byte =~ m{[A-Za-z0-9._~-]} ? $byte : sprintf '%%%02X', ord $byte/ge;
    $path =~ s/([\x80-\xff])/sprintf '%%%02X', ord $1/ge;
    $path =~ s{/+}{/}g;
    return $path eq '' ? '/' : $path;
}

sub read_request ($hit, $site) {
    my ($method, $target) = $hit->{request} =~ m{^([A-Z]+) (\S+) HTTP/[\d.]+$} or do {
        @$hit{qw(method page query)} = ('', '/', '');
        return;
    };
    $target =~ s{^https?://[^/]+}{};
    $target =~ s/#.*//;
    my ($path, $query) = split /\?/, $target, 2;
    $hit->{method} = $method;
    $hit->{query} = $query //= '';
    $hit->{page} = normal_path($hit->{path} ne '' ? $hit->{path} : $path);
    $hit->{bare_path} = $hit->{page};
    my @kept = map { my $value = argument($query, $_); $value ne '' ? "$_=$value" : () } sort @{ $site->{args} // [] };
    $hit->{page} .= '?' . join '&', @kept if @kept;
    $hit->{search_term} = $site->{search} ? argument($query, $site->{search}) : '';
}

sub is_page ($hit) {
    return 0 if $hit->{method} ne 'GET' || $hit->{prefetch} || $hit->{status} !~ /^(?:2\d\d|304)$/;
    return $hit->{type} =~ m{^(?:text/html|application/xhtml\+xml)} ? 1 : 0 if $hit->{type} ne '';
    my ($last) = $hit->{bare_path} =~ m{([^/]*)$};
    return 1 if $last !~ /\.[^.]+$/;
    return $last =~ /\.(?:html?|xhtml|shtml|php|aspx?|jsp)$/i ? 1 : 0;
}

# --- people, robots, devices -----------------------------------------------------------------------------------------

my @robots = (
    [qr/Googlebot|bingbot/, 'search_crawler'], [qr/GPTBot/, 'ai_crawler'], [qr/ChatGPT-User/, 'ai_assistant'],
    [qr/OAI-SearchBot/, 'ai_search'], [qr/AhrefsBot|SemrushBot/, 'seo_crawler'], [qr/facebookexternalhit/, 'social_preview'],
    [qr/UptimeRobot/, 'monitoring'], [qr/^curl|^python-requests/, 'http_client'], [qr/HeadlessChrome/, 'headless_browser'],
    [qr/^$/, 'no_user_agent'],
);

# By the shop's own word, by agent, by what the visitor did.
sub bot_class ($hit, $behaved_as_bot) {
    return 'own_flag' if $hit->{bot};
    my $by_agent = first { $hit->{agent} =~ $_->[0] } @robots;
    return $by_agent ? $by_agent->[1] : $behaved_as_bot ? 'behaviour' : '';
}

sub device ($agent) {
    return 'tv' if $agent =~ /TV/;
    return 'tablet' if $agent =~ /iPad|Tablet(?! PC)|Kindle|Silk/ || ($agent =~ /Android/ && $agent !~ /Mobile/);
    return 'mobile' if $agent =~ /Mobi|iPhone|iPod|Opera Mini/;
    return 'desktop' if $agent =~ /Windows|Macintosh|X11|CrOS/;
    return 'other';
}

sub browser ($agent) {
    for (['Edge', qr{Edg/}], ['Samsung Internet', qr/SamsungBrowser/], ['Silk', qr{Silk/}], ['Firefox', qr{Firefox/}], ['Chrome', qr{Chrome/}],
        ['Safari', qr{Version/.*Safari/}]) {
        return $_->[0] if $agent =~ $_->[1];
    }
    return 'other';
}

sub system_of ($agent) {
    for (['webOS', qr/Web0S/], ['Tizen', qr/Tizen/], ['Nintendo', qr/Nintendo/], ['Windows', qr/Windows/], ['iOS', qr/iPhone|iPad/], ['Android', qr/Android/],
        ['macOS', qr/Macintosh/], ['Linux', qr/Linux|X11/]) {
        return $_->[0] if $agent =~ $_->[1];
    }
    return 'other';
}

# --- touches ---------------------------------------------------------------------------------------------------------

# Hosts by their most specific name: what the source is called, and of which list it is.
my %known_hosts = (
    'google.com' => ['google', 'search'], 'google.de' => ['google', 'search'], 'google.at' => ['google', 'search'],
    'bing.com' => ['bing', 'search'], 'duckduckgo.com' => ['duckduckgo', 'search'], 'facebook.com' => ['facebook', 'social'],
    'instagram.com' => ['instagram', 'social'], 'youtube.com' => ['youtube', 'video'], 'chatgpt.com' => ['chatgpt', 'ai'],
    'gemini.google.com' => ['gemini', 'ai'], 'mail.google.com' => ['gmail', 'email'], 'paypal.com' => ['paypal', 'payment'],
    'stripe.com' => ['stripe', 'payment'],
);
my %kind_of_name = map { @$_ } values %known_hosts;
my %aliases = (fb => 'facebook', 'fb-ads' => 'facebook');
my %click_sources = (gclid => 'google', msclkid => 'bing', fbclid => 'facebook', ttclid => 'tiktok', twclid => 'x',
    li_fat_id => 'linkedin', yclid => 'yandex');

# The host itself, then each above it.
sub host_and_above ($host) { my @names = ($host); push @names, $host while $host =~ s/^[^.]+\.(?=.+\.)//; @names }
sub known_host ($host) { my $name = first { $known_hosts{$_} } host_and_above($host); $name ? $known_hosts{$name} : undef }

sub external_referrer ($hit, $site) {
    my ($host) = lc($hit->{referrer}) =~ m{^https?://([^/:?]+)} or return '';
    $host =~ s/^www\.//;
    return '' if $host eq 'localhost' || $host eq $hit->{host} =~ s/^www\.//r;
    return '' if any { my $own = $_; any { $_ eq $own } host_and_above($host) } @{ $site->{hosts} };
    my $known = known_host($host);
    return $known && $known->[1] eq 'payment' ? '' : $host;
}

# Host and path.
sub referrer ($hit, $host) { $host ne '' && $hit->{referrer} =~ m{^https?://[^/?]+([^?#]*)} ? $host . $1 : '' }

sub arguments_of_campaign ($hit) {
    my $of = sub ($name) { argument($hit->{query}, $name) };
    my %touch = (
        source   => lc((first { $_ ne '' } map { $of->($_) } qw(utm_source source ref)) // ''),
        medium   => lc $of->('utm_medium'),
        campaign => (first { $_ ne '' } map { $of->($_) } qw(utm_campaign utm_id)) // '',
        content  => $of->('utm_content'),
        term     => $of->('utm_term'),
    );
    return join('', values %touch) eq '' ? undef : \%touch;
}

# What was searched for at an engine of %known_hosts, all of which call it q.
sub searched_for ($hit, $known) {
    return '' if !$known || $known->[1] ne 'search';
    return $hit->{referrer} =~ m{^[^?#]*\?([^#]*)} ? argument($1, 'q') : '';
}

sub touch_of ($hit, $site) {
    my $sent = arguments_of_campaign($hit);
    my $referrer = external_referrer($hit, $site);
    my @clicks = grep { argument($hit->{query}, $_) ne '' } qw(gclid gbraid wbraid gad_source dclid msclkid fbclid ttclid twclid
        li_fat_id yclid);
    my $known = known_host($referrer);
    my %touch = (time_ms => $hit->{time_ms}, medium => '', campaign => '', content => '', term => '', code => '', %{ $sent // {} },
        referrer_host => $referrer, referrer => referrer($hit, $referrer),
        sent => $sent ? join("\0", map { $sent->{$_} } qw(source medium campaign content term)) : '');
    $touch{term} = searched_for($hit, $known) if $touch{term} eq '';
    my $clicked = first { $click_sources{$_} } @clicks;
    $touch{source} = first { ($_ // '') ne '' } $touch{source}, $known ? $known->[0] : $referrer,
        $clicked ? $click_sources{$clicked} : '', '(direct)';
    my $has_utm = any { argument($hit->{query}, $_) ne '' } map { "utm_$_" } qw(source medium campaign content term id);
    $touch{channel} = channel(\%touch, $sent, $has_utm, \@clicks, $site);
    return \%touch;
}

# The channel table of core/README.md and visit/README.md, row by row.
sub channel ($touch, $sent, $has_utm, $clicks, $site) {
    my ($source, $medium, $campaign, $referrer) = (lc $touch->{source}, lc $touch->{medium}, lc $touch->{campaign}, $touch->{referrer_host});
    for my $own (@{ $site->{channels} // [] }) {
        return $own->{name} if any { my $above = $_; any { $_ eq $above } host_and_above($referrer) } @{ $own->{referrer} };
    }
    my $name = $aliases{$source} // $source;
    my $kind = $kind_of_name{$name} // (known_host($name) // ['', ''])->[1];
    $name = known_host($name)->[0] if known_host($name);
    my $paid = $medium =~ /^(?:.*cp.*|ppc|retargeting|paid.*|pmax)$/ || $source eq 'adwords' || $source =~ /[_-]ads$/;
    my $shop = $campaign =~ /^(?:.*(?:(?:[^a-df-z]|^)shop|shopping).*)$/;
    my %clicked = map { $_ => 1 } @$clicks;
    my $paid_click = ($name eq 'google' && any { $clicked{$_} } qw(gclid gbraid wbraid gad_source))
        || ($name eq 'bing' && $clicked{msclkid}) || ($name eq 'yandex' && $clicked{yclid});
    return 'direct'           if !$sent && $referrer eq '' && $source eq '(direct)';
    return 'cross_network'    if $campaign =~ /cross-network/;
    return 'paid_shopping'    if ($kind eq 'shopping' || $shop) && $paid;
    return 'paid_search'      if $kind eq 'search' && ($paid || $paid_click);
    return 'paid_social'      if $kind eq 'social' && $paid;
    return 'paid_video'       if $kind eq 'video' && $paid;
    return 'display'          if $medium =~ /^(?:display|banner|expandable|interstitial|cpm)$/;
    return 'paid_other'       if $paid;
    return 'organic_shopping' if $kind eq 'shopping' || $shop;
    return 'organic_social'   if $kind eq 'social' || $medium =~ /^(?:social|social-network|social-media|sm|social network|social media)$/;
    return 'organic_video'    if $kind eq 'video' || $medium =~ /video/;
    return 'ai_assistant'     if $kind eq 'ai' || $medium eq 'ai-assistant';
    return 'organic_search'   if $kind eq 'search' || $medium eq 'organic';
    return 'email'            if $kind eq 'email' || any { /^(?:email|e-mail|e_mail|e mail|newsletter)$/ } $source, $medium;
    return 'affiliate'        if $medium =~ /^affiliates?$/;
    return 'audio'            if $medium eq 'audio';
    return 'sms'              if any { $_ eq 'sms' } $source, $medium;
    return 'push'             if $medium =~ /push$|mobile|notification/;
    return 'referral'         if $medium =~ /^(?:referral|app|link)$/ || (!$has_utm && $referrer ne '');
    return 'unassigned';
}

# The further touch of a page or event inside a visit, if it makes one.
sub further_touch ($hit, $site, $last) {
    return if $hit->{status} >= 400 || ($hit->{status} =~ /^3/ && $hit->{status} != 304);
    my $touch = touch_of($hit, $site);
    my $other_arguments = $touch->{sent} ne '' && $touch->{sent} ne $last->{sent};
    my $other_host = $touch->{referrer_host} ne '' && $touch->{referrer_host} ne $last->{referrer_host};
    return $other_arguments || $other_host ? $touch : undef;
}

sub credited ($model, $touches, $time_ms) {
    my @journey = grep { $_->{time_ms} <= $time_ms && $_->{time_ms} >= $time_ms - $lookback_ms } @$touches;
    return $journey[0] if $model eq 'first';
    return ($model eq 'last' ? undef : first { $_->{channel} ne 'direct' } reverse @journey) // $journey[-1];
}

# --- events ----------------------------------------------------------------------------------------------------------

# A Footfall-Event list of plain names, strings and numbers; undef if it is none.
sub read_events ($text) {
    my @events;
    while ($text =~ /\G\s*([a-z_]+)((?:;[a-z]+=(?:"[^"]*"|-?\d+(?:\.\d+)?))*)\s*(?:,|$)/gc) {
        my ($name, $rest) = ($1, $2);
        my %event = (name => $name);
        $event{$1} = $2 // $3 while $rest =~ /;([a-z]+)=(?:"([^"]*)"|([^;]+))/g;
        push @events, \%event;
        last if pos($text) == length $text;
    }
    return defined pos($text) && pos($text) == length $text || $text eq '' ? \@events : undef;
}

sub micros ($number) {
    my ($whole, $part) = $number =~ /^(\d+)(?:\.(\d{1,6}))?$/ or return;
    return $whole * 1_000_000 + substr(($part // '') . '000000', 0, 6);
}

# Half away from zero.
sub divided ($sum, $by) { my $half = $by / 2; $sum < 0 ? -int((-$sum + $half) / $by) : int(($sum + $half) / $by) }

# Quantity and value of each item of an order, or of each category, in millionths; '' has none.
sub items_of ($text, $part = 0) {
    my (%quantity, %value);
    for (split ' ', $text) {
        my @parts = split /:/;
        my $name = ($parts[$part] // '') =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger;
        $quantity{$name} += $parts[1];
        $value{$name} += $parts[1] * micros($parts[2] // 0);
    }
    return (\%quantity, \%value);
}

# --- facts -----------------------------------------------------------------------------------------------------------

# All facts of a site, from the lines of a log. Options of the site: name, names (other names that the log gives it), hosts, args,
# search, gap_ms, currency, rates, exclude_address, exclude_agent, exclude_path (patterns), channels, goals.
sub recount ($lines, $site) {
    my @facts;
    my @hits = grep { my $told = $_->{site}; any { $_ eq $told } $site->{name}, @{ $site->{names} // [] } } grep { defined }
        map { read_line(s/\n$//r) } @$lines;
    my (%visitors, %orders);
    for my $hit (sort { $a->{time_ms} <=> $b->{time_ms} } @hits) {
        next if $hit->{signals} eq 'drop';
        read_request($hit, $site);
        next if $site->{exclude_address} && $hit->{address} =~ $site->{exclude_address};
        next if $site->{exclude_agent} && $hit->{agent} =~ $site->{exclude_agent};
        next if $site->{exclude_path} && ($hit->{bare_path} // '/') =~ $site->{exclude_path};
        count_hit($hit, $site, \%visitors, \%orders, \@facts);
    }
    for my $visitor (values %visitors) { close_visit($visitor, \@facts) }
    return \@facts;
}

sub count_hit ($hit, $site, $visitors, $orders, $facts) {
    my $key = $hit->{visitor} ne '' ? "id $hit->{visitor}" : join ' ', int($hit->{time_ms} / 86_400_000), @$hit{qw(address agent)};
    my $visitor = $visitors->{$key} //= { key => $key, touches => [] };
    $visitor->{behaved_as_bot} ||= ($hit->{bare_path} // '') eq '/robots.txt';
    my $bot = bot_class($hit, $visitor->{behaved_as_bot});
    my $country = $hit->{country} =~ /^[A-Za-z]{2}$/ ? uc $hit->{country} : '';
    my $device = $bot ? 'bot' : device($hit->{agent});
    push @$facts, {
        time_ms => $hit->{time_ms},
        keys => { total => '', page => $hit->{page}, status_class => substr($hit->{status}, 0, 1) . 'xx',
            http_status => $hit->{status}, country => $country,
            device => $device, bot_class => $bot },
        adds => { hits => 1, bytes => $hit->{bytes}, errors_4xx => 0 + ($hit->{status} =~ /^4/), errors_5xx => 0 + ($hit->{status} =~ /^5/),
            bot_hits => $bot ? 1 : 0 },
        took_ms => $hit->{took} ne '' ? $hit->{took} * 1000 : undef,
    };
    return if $bot;
    my @told = ($hit, $site, $visitor, $country, $device, $facts);
    count_page(@told) if is_page($hit);
    for my $event (@{ read_events($hit->{events}) // [] }) {
        $event->{name} eq 'purchase' ? count_order(@told, $event, $orders) : count_event(@told, $event);
    }
}

# The visit that a page or event belongs to, with the touch that it makes.
sub visit_of ($hit, $site, $visitor, $country, $device, $facts) {
    my $visit = $visitor->{visit};
    if ($visit && $hit->{time_ms} - $visit->{last_ms} > ($site->{gap_ms} // $gap_ms_default)) {
        close_visit($visitor, $facts);
        $visit = undef;
    }
    if (!$visit) {
        my $touch = touch_of($hit, $site);
        my $newness = $hit->{visitor} eq '' ? 'unknown' : @{ $visitor->{touches} } ? 'returning' : 'new';
        push @{ $visitor->{touches} }, $touch;
        $visit = $visitor->{visit} = { first_ms => $hit->{time_ms}, touch => $touch, last_touch => $touch, country => $country,
            device => $device, browser => browser($hit->{agent}), os => system_of($hit->{agent}), new_returning => $newness, views => [], events => [], reached => {}, orders => 0, cart => 0 };
    } elsif (my $touch = further_touch($hit, $site, $visit->{last_touch})) {
        $visit->{last_touch} = $touch;
        push @{ $visitor->{touches} }, $touch;
    }
    $visit->{last_ms} = $hit->{time_ms};
    return $visit;
}

sub count_page ($hit, $site, $visitor, @more) {
    my $visit = visit_of($hit, $site, $visitor, @more);
    my $group = first { $hit->{bare_path} =~ $_->{path} } @{ $site->{page_groups} // [] };
    push @{ $visit->{views} }, { time_ms => $hit->{time_ms}, page => $hit->{page}, search_term => $hit->{search_term},
        $site->{page_groups} ? (page_group => $group ? $group->{name} : '') : () };
    for my $goal (grep { defined $_->{path} && $_->{path} eq $hit->{bare_path} } @{ $site->{goals} // [] }) {
        reach($hit, $visitor, $visit, $goal, {}, $more[2]);
    }
}

sub count_event ($hit, $site, $visitor, $country, $device, $facts, $event) {
    my $visit = visit_of($hit, $site, $visitor, $country, $device, $facts);
    push @{ $visit->{events} }, { time_ms => $hit->{time_ms}, event => $event->{name}, item => $event->{item} // '' };
    $visit->{cart} ||= $event->{name} eq 'add_to_cart';
    for my $goal (grep { ($_->{event} // '') eq $event->{name} } @{ $site->{goals} // [] }) {
        reach($hit, $visitor, $visit, $goal, $event, $facts);
    }
}

my @page_dimensions = qw(page search_term page_group);
my @person_dimensions = qw(country device browser os new_returning);
sub part_of ($hash, @names) { map { exists $hash->{$_} ? ($_ => $hash->{$_}) : () } @names }

# Conversions by each model's touch; by all else they are whole.
sub convert ($hit, $visitor, $visit, $facts, $keys, $adds) {
    push @$facts, { time_ms => $hit->{time_ms}, adds => $adds,
        keys => { total => '', part_of($visit, @person_dimensions), %$keys } };
    for my $model (@models) {
        my $touch = credited($model, $visitor->{touches}, $hit->{time_ms});
        push @$facts, { time_ms => $hit->{time_ms}, model => $model, adds => $adds, keys => { map { $_ => $touch->{$_} } @touch_dimensions } };
    }
}

sub reach ($hit, $visitor, $visit, $goal, $event, $facts) {
    return if $visit->{reached}{ $goal->{name} }++;
    convert($hit, $visitor, $visit, $facts, { event => $event->{name} // '', goal => $goal->{name}, item => $event->{item} // '', item_category => '', coupon => '', currency => '' },
        { conversions => 1, goal_value => $goal->{value_micros} });
}

sub count_order ($hit, $site, $visitor, $country, $device, $facts, $event, $orders) {
    my $value = micros($event->{value} // '');
    my $id = $event->{id} // '';
    my $refused = $id eq '' || !defined $value ? 'rejected_orders' : $orders->{$id}++ ? 'duplicate_orders' : undef;
    return push @$facts, { time_ms => $hit->{time_ms}, keys => { total => '' }, adds => { $refused => 1 } } if $refused;
    my $visit = visit_of($hit, $site, $visitor, $country, $device, $facts);
    push @{ $visit->{events} }, { time_ms => $hit->{time_ms}, event => 'purchase', item => '' };
    $visit->{orders}++;
    my @by_item = items_of($event->{items} // '');
    my @by_category = items_of($event->{items} // '', 3);
    my $currency = $event->{currency} // $site->{currency};
    my $rate_millionths = $currency eq $site->{currency} ? 1_000_000 : $site->{rates}{$currency} // 0;
    for ($value, values %{ $by_item[1] }, values %{ $by_category[1] }) { $_ = divided($_ * $rate_millionths, 1_000_000) }
    my $pieces = 0;
    $pieces += $_ for values %{ $by_item[0] };
    convert($hit, $visitor, $visit, $facts, { event => 'purchase', goal => '', coupon => $event->{coupon} // '', currency => $currency },
        { conversions => 1, orders => 1, items => $pieces, revenue => $value });
    for (['item', @by_item], ['item_category', @by_category]) {
        my ($dimension, $quantity, $part_value) = @$_;
        # Its own part, and what is left of the order: what no item or category brought.
        my %left = (orders => 1, conversions => 1, items => $pieces, revenue => $value);
        @left{qw(orders conversions)} = (0, 0) if %$quantity && !exists $quantity->{''};
        for my $name (grep { $_ ne '' } sort keys %$quantity) {
            $left{items} -= $quantity->{$name};
            $left{revenue} -= $part_value->{$name};
            push @$facts, { time_ms => $hit->{time_ms}, keys => { $dimension => $name },
                adds => { orders => 1, conversions => 1, items => $quantity->{$name}, revenue => $part_value->{$name} } };
        }
        push @$facts, { time_ms => $hit->{time_ms}, keys => { $dimension => '' }, adds => \%left };
    }
}

# What a visit counts for, once it is known whole.
sub close_visit ($visitor, $facts) {
    my $visit = delete $visitor->{visit} or return;
    my @views = @{ $visit->{views} };
    my %of_visit = (total => '', (map { $_ => $visit->{touch}{$_} } @touch_dimensions), part_of($visit, @person_dimensions),
        entry_page => @views ? $views[0]{page} : '', exit_page => @views ? $views[-1]{page} : '');
    my $bounce = @views == 1 && !@{ $visit->{events} } ? 1 : 0;
    push @$facts, { time_ms => $visit->{first_ms}, keys => \%of_visit, visitor => $visitor->{key}, adds => {
        visits => 1, bounces => $bounce, duration_ms => $visit->{last_ms} - $visit->{first_ms},
        converted => $visit->{orders} || %{ $visit->{reached} } ? 1 : 0, carts => $visit->{cart} ? 1 : 0,
        carts_left => $visit->{cart} && !$visit->{orders} ? 1 : 0 } };
    push @$facts, { time_ms => $visit->{first_ms}, keys => { part_of($views[0], @page_dimensions) },
        adds => { bounces => 1 } } if $bounce;
    my %seen;
    push @$facts, map { { time_ms => $visit->{first_ms}, keys => { page => $_ }, adds => { visits => 1 } } }
        grep { !$seen{$_}++ } map { $_->{page} } @views;
    for my $number (0 .. $#views) {
        my ($view, $next) = @views[$number, $number + 1];
        push @$facts, { time_ms => $view->{time_ms}, keys => { %of_visit, part_of($view, @page_dimensions) },
            adds => { pageviews => 1, entries => $number == 0 ? 1 : 0, exits => $next ? 0 : 1,
                pages_left => $next ? 1 : 0, page_time_ms => $next ? $next->{time_ms} - $view->{time_ms} : 0 } };
    }
    push @$facts, map { { time_ms => $_->{time_ms}, keys => { %of_visit, event => $_->{event}, item => $_->{item} }, adds => { events => 1 } } }
        @{ $visit->{events} };
}

# --- reports ---------------------------------------------------------------------------------------------------------

sub ratio ($top, $bottom) {
    return '' if !$bottom;
    my $text = sprintf '%.6f', ($top // 0) / $bottom;
    $text =~ s/\.?0+$//;
    return $text;
}
# Told exactly below 64 ms, then by the middle of steps, 32 of them a doubling. No request of the log took 256 ms.
sub nearest_rank ($percent, @values) {
    return '' if !@values;
    my $rank = int((@values * $percent + 99) / 100);
    my $value = int((sort { $a <=> $b } @values)[$rank - 1] + 0.5);
    my $width = $value < 64 ? 1 : $value < 128 ? 2 : 4;
    return int($value / $width) * $width + int(($width - 1) / 2);
}
sub money ($micros) { sprintf '%s%d.%02d', $micros <= -5000 ? '-' : '', map { int($_ / 100), $_ % 100 } abs divided($micros, 10_000) }

my %shown = (
    (map { my $name = $_; $name => sub ($s, $by) { $s->{$name} // 0 } } qw(hits visits pageviews entries exits bounces events conversions orders items
        errors_4xx errors_5xx bytes bot_hits duplicate_orders rejected_orders)),
    late_hits   => sub ($s, $by) { 0 },
    time_on_page => sub ($s, $by) { $s->{pages_left} ? sprintf '%.3f', divided($s->{page_time_ms}, $s->{pages_left}) / 1000 : '' },
    time_on_page_n => sub ($s, $by) { $s->{pages_left} // 0 },
    (map { my $percent = $_; "p${percent}_ms" => sub ($s, $by) { nearest_rank($percent, @{ $s->{took_ms} // [] }) } } 50, 95, 99),
    visitors    => sub ($s, $by) { scalar keys %{ $s->{visitors} // {} } },
    exit_rate   => sub ($s, $by) { ratio($s->{exits}, $s->{pageviews}) },
    bounce_rate => sub ($s, $by) { ratio($s->{bounces}, $by =~ /^(?:page|search_term|page_group)$/ ? $s->{entries} : $s->{visits}) },
    duration    => sub ($s, $by) { $s->{visits} ? sprintf '%.3f', divided($s->{duration_ms}, $s->{visits}) / 1000 : '' },
    cr          => sub ($s, $by) { ratio($s->{converted}, $s->{visits}) },
    revenue     => sub ($s, $by) { money($s->{revenue} // 0) },
    refunds     => sub ($s, $by) { money($s->{refunds} // 0) },
    revenue_net => sub ($s, $by) { money(($s->{revenue} // 0) - ($s->{refunds} // 0)) },
    goal_value  => sub ($s, $by) { money($s->{goal_value} // 0) },
    aov         => sub ($s, $by) { $s->{orders} ? money(divided($s->{revenue}, $s->{orders})) : '' },
    rpv         => sub ($s, $by) { $s->{visits} ? money(divided($s->{revenue} // 0, $s->{visits})) : '' },
    cart_abandonment => sub ($s, $by) { ratio($s->{carts_left}, $s->{carts}) },
);

# { key => [figures], … } of the facts' values in a dimension, or by what `key_of` says of a fact (undef: nothing); '' is no value.
# Without either, or of { totals => 1 }: { '' => the totals }.
sub report ($facts, $by, $metrics, %o) {
    my $model = $o{model} // 'last_non_direct';
    my %sums;
    for my $fact (@$facts) {
        next if $fact->{model} && $fact->{model} ne $model;
        my $key = $o{key_of} ? $o{key_of}->($fact) : $fact->{keys}{ $o{totals} ? 'total' : $by || 'total' };
        next if !defined $key;
        my $sum = $sums{$key} //= {};
        $sum->{$_} += $fact->{adds}{$_} for keys %{ $fact->{adds} };
        $sum->{visitors}{ $fact->{visitor} } = 1 if defined $fact->{visitor};
        push @{ $sum->{took_ms} }, $fact->{took_ms} if defined $fact->{took_ms};
    }
    return { map { my $sum = $sums{$_}; $_ => [map { $shown{$_}->($sum, $by) } @$metrics] } keys %sums };
}

1;
